import { Worker } from 'node:worker_threads';

/** Runs a TypeScript module in a thread. It does not inherit the loader of this process, so it registers its own. */
export function startThread(module: URL, workerData?: unknown): Worker {
  const boot = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then((tsx) => {
    tsx.register();
    return import(${JSON.stringify(module.href)});
  });`;
  const worker = new Worker(boot, { eval: true, workerData });
  worker.unref();
  return worker;
}
