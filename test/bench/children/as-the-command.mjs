// What lib/sync-data.js does before anything else, and test/fixtures/fast-sync-data.js, which goes at any pace, does not.
import { keepHeapSmall } from '../../../lib/start/engine.js';

keepHeapSmall();
