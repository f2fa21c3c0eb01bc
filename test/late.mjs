// Loaded into processes of the tests: nearly all live for a second or two, which is not for the optimizing compiler.
import { optimizeLate } from '../lib/start/engine.js';

optimizeLate();
