// Writes into a data directory as the log does, syncs some of it, and is killed: for the test of tools/scenarios/kept-disk.mjs.
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const directory = process.env.DISK_DIRECTORY;
const [open, write, fdatasync, fsync, rename, unlink] = [
  fs.open,
  fs.write,
  fs.fdatasync,
  fs.fsync,
  fs.rename,
  fs.unlink,
].map((one) => promisify(one));
const at = (name) => path.join(directory, name);
const put = (descriptor, text, place) => write(descriptor, Buffer.from(text), 0, text.length, place);
const syncDirectory = async () => fsync(await open(directory, 'r'));

const steps = {
  'writes and syncs': async () => {
    const file = await open(at('synced'), 'wx+');
    await put(file, 'A'.repeat(1_000), 0);
    await fdatasync(file);
    await syncDirectory();
    await put(file, 'B'.repeat(600), 1_000);
    await put(file, 'C'.repeat(10), 0);
    const durable = await open(at('synced'), fs.constants.O_WRONLY | fs.constants.O_DSYNC);
    await put(durable, 'D'.repeat(20), 512);
  },
  'changes names': async () => {
    await open(at('kept'), 'wx+');
    await open(at('old'), 'wx+');
    await syncDirectory();
    const made = await open(at('made'), 'wx+');
    await put(made, 'made', 0);
    await fdatasync(made);
    await rename(at('old'), at('new'));
    await unlink(at('kept'));
  },
  'uses a function that is not covered': async () => fs.appendFileSync(at('other'), 'x'),
  'uses a promise that is not covered': () => fs.promises.writeFile(at('other'), 'x'),
};

await steps[process.argv[2]]();
process.kill(process.pid, 'SIGKILL');
