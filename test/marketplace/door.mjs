// The API's front door, in a thread of its own: it notes when a request arrives and hands the bytes on to the server
// behind. There a page takes milliseconds to put together, and a garbage collection tens of them: an arrival noted
// there would be noted late, and windows would seem to hold what they do not.
// Not TypeScript: a thread that loads its own compiler takes longer to start than all the rest of a marketplace.
import { connect, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** Its `arrived` is the name of a header that carries the arrival, epoch milliseconds, to the server behind. */
const { port, behind, arrived } = workerData;

const server = createServer({ noDelay: true }, (client) => {
  const inside = connect({ port: behind, host: '127.0.0.1', noDelay: true });
  // Nobody sends a body and nobody pipelines: what comes in after an answer begins with a request line.
  client.on('data', (chunk) => {
    const lineEnd = chunk.indexOf('\r\n');
    const isHead = /^[A-Z]+ \//.test(chunk.toString('latin1', 0, 12)) && lineEnd > 0;
    if (!isHead) return void inside.write(chunk);
    const at = performance.timeOrigin + performance.now();
    inside.write(chunk.subarray(0, lineEnd));
    inside.write(`\r\n${arrived}: ${at}`);
    inside.write(chunk.subarray(lineEnd));
  });
  inside.pipe(client);
  client.on('end', () => inside.end());
  passOnTheEnd(inside, client);
  passOnTheEnd(client, inside);
});
server.listen(port, '127.0.0.1', () => parentPort.postMessage(server.address()));

/**
 * A reset stays a reset, a broken connection a broken one. One that is ending already cannot be reset: its handle would
 * never close.
 */
function passOnTheEnd(from, to) {
  from.on('error', () => (to.writableEnded ? to.destroy() : to.resetAndDestroy()));
  from.on('close', () => to.destroySoon());
}
