import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledFolder } from './compiled.js';

const require = createRequire(import.meta.url);

/**
 * Loads TypeScript without a build step. jiti keeps what it compiles under the hash of the source, so an edited task is
 * what runs.
 * @param {string} from the URL that relative paths start from
 */
export function loaderFrom(from) {
  // An import would parse its 190 kB once more, only to learn what it exports: a quarter of the time that --help takes.
  const { createJiti } = require('jiti');
  // Your own tasks get this sync-data, and the zod that checks their options, wherever they are. Zod in its CommonJS form,
  // whose files are opened one by one: the ES modules are opened all at once, more than some systems allow. Ofetch as it
  // is for systems with a fetch of their own, such as Node: the other brings one along, which is never called.
  const alias = {
    'sync-data': fileURLToPath(new URL('../index.ts', import.meta.url)),
    zod: require.resolve('zod'),
    ...ofetch(),
  };
  return createJiti(from, { alias, fsCache: compiledFolder(), interopDefault: false });
}

function ofetch() {
  try {
    return { ofetch: join(dirname(require.resolve('ofetch/package.json')), 'dist', 'index.mjs') };
  } catch {
    // Whoever imports it says that it is missing.
    return {};
  }
}

/** Zod's messages in fifty languages take longer to load than zod: they are loaded by whoever asks for one. */
export function loadLocalesLate() {
  const path = require.resolve('zod/v4/locales');
  let locales;
  const load = () => {
    if (!locales) {
      delete require.cache[path];
      locales = require(path);
    }
    return locales;
  };
  const late = new Module(path);
  late.exports = new Proxy(
    { __esModule: true },
    {
      get: (_, name) => (name === '__esModule' ? true : load()[name]),
      has: (_, name) => name in load(),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, name) => {
        const known = Reflect.getOwnPropertyDescriptor(load(), name);
        return known && { ...known, configurable: true };
      },
    },
  );
  late.loaded = true;
  require.cache[path] = late;
}
