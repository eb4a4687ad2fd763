export const REAL: readonly string[];
export const PURE: readonly string[];
