// Closed-loop load on an etcd leader, over several connections. Prints what `quorate bench --json` prints.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

const connections = 8
const keys = 10000

func main() {
	endpoint := flag.String("endpoint", "http://127.0.0.1:2379", "the leader")
	op := flag.String("op", "put", "put, or get (linearizable)")
	inFlight := flag.Int("inflight", 256, "operations at a time")
	size := flag.Int("size", 256, "bytes of a value")
	seconds := flag.Int("seconds", 10, "measured")
	warmUp := flag.Int("warmup", 2, "seconds under the same load before that, not measured")
	flag.Parse()

	clients := make([]*clientv3.Client, connections)
	for i := range clients {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		clients[i] = client
	}

	value := strings.Repeat("x", *size)
	if *op == "get" {
		fill(clients, value)
	}
	from := time.Now().Add(time.Duration(*warmUp) * time.Second)
	until := from.Add(time.Duration(*seconds) * time.Second)
	latencies := make([][]float64, *inFlight)
	failures := make([]int, *inFlight)
	var workers sync.WaitGroup
	for worker := 0; worker < *inFlight; worker++ {
		workers.Add(1)
		go func(worker int) {
			defer workers.Done()
			client := clients[worker%connections]
			for n := worker; time.Now().Before(until); n += *inFlight {
				key := keyOf(n)
				sent := time.Now()
				var err error
				if *op == "put" {
					_, err = client.Put(context.Background(), key, value)
				} else {
					_, err = client.Get(context.Background(), key)
				}
				done := time.Now()
				if err != nil {
					failures[worker]++
				} else if sent.After(from) && done.Before(until) {
					latencies[worker] = append(latencies[worker], float64(done.Sub(sent))/float64(time.Millisecond))
				}
			}
		}(worker)
	}
	workers.Wait()

	var all []float64
	failed := 0
	for worker := range latencies {
		all = append(all, latencies[worker]...)
		failed += failures[worker]
	}
	sort.Float64s(all)
	quantile := func(q float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(q*float64(len(all)-1))]
	}
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"op": *op, "inFlight": *inFlight, "size": *size, "opsPerSecond": len(all) / *seconds,
		"p50Ms": quantile(0.5), "p99Ms": quantile(0.99), "p999Ms": quantile(0.999), "failed": failed,
	})
}

func keyOf(n int) string {
	return fmt.Sprintf("bench/%08d", n%keys)
}

// What is read has the size that is said: all keys are set to it first.
func fill(clients []*clientv3.Client, value string) {
	const fillers = 64
	var done sync.WaitGroup
	for filler := 0; filler < fillers; filler++ {
		done.Add(1)
		go func(filler int) {
			defer done.Done()
			for n := filler; n < keys; n += fillers {
				if _, err := clients[n%connections].Put(context.Background(), keyOf(n), value); err != nil {
					log.Fatal(err)
				}
			}
		}(filler)
	}
	done.Wait()
}
