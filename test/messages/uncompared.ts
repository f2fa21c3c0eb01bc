import type { Unmet } from './unmet.ts';

// Messages whose text no test compares yet. Each new message belongs into a table or a test, not here: this list only shrinks.

const MODELS = 'needs a model, a package or a runtime that is broken in a way of its own';
const INSTALLATION = 'needs an installation that is broken in a way of its own';
const PAGE = 'needs a browser or a port that misbehaves';
const ODD = 'brought about by tests of its room, which look at the outcome and not at the words';

const WORKER = 'needs a driver, a coordinator or a Redis that misbehaves in a way of its own';

export const UNCOMPARED: readonly Unmet[] = [
  {
    file: 'lib/installation.ts',
    words: 'Change to the folder that holds pipeline.yaml, then start sync-data again.',
    why: INSTALLATION,
  },
  {
    file: 'lib/installation.ts',
    words: 'The compiled part of the package sqlite3 cannot be loaded: …',
    why: INSTALLATION,
  },
  {
    file: 'lib/installation.ts',
    words:
      'It is made for one system and one version of Node (this is … on …, …). In the folder where sync-data is installed, run: npm rebuild sqlite3 (or, where that fails: npm ci).',
    why: INSTALLATION,
  },
  {
    file: 'lib/installation.ts',
    words: 'In the folder where sync-data is installed, run: npm ci',
    why: INSTALLATION,
  },
  {
    file: 'lib/installation.ts',
    words: 'The compiled part of the package sqlite3 is incomplete.',
    why: INSTALLATION,
  },
  { file: 'lib/workers/devices.ts', words: 'it takes too long', why: WORKER },
  {
    file: 'lib/workers/helper.ts',
    words: 'the coordinator has another file or recipe under this name',
    why: WORKER,
  },
  { file: 'lib/workers/helper.ts', words: 'A job was refused: it is ….', why: WORKER },
  { file: 'lib/workers/helper.ts', words: 'begun … times, and never finished', why: WORKER },
  { file: 'lib/workers/password.ts', words: 'The password of Redis cannot be read: …', why: WORKER },
  {
    file: 'lib/workers/password.ts',
    words: 'Make .env readable, or put … into the environment.',
    why: WORKER,
  },
  { file: 'lib/dataset/image-files.ts', words: 'it cannot be read (…)', why: ODD },
  {
    file: 'lib/models/errors.ts',
    words: 'Cutouts and embeddings need the package …, which is not installed or not made for this system.',
    why: MODELS,
  },
  {
    file: 'lib/models/errors.ts',
    words:
      'Install what they need beside sync-data: npm install …\nOr take the stages background and embed out of pipeline.yaml.',
    why: MODELS,
  },
  { file: 'lib/models/fetch.ts', words: 'Install sync-data again.', why: MODELS },
  { file: 'lib/models/fetch.ts', words: 'what was sent is another file (sha256 ……, not ……)', why: MODELS },
  {
    file: 'lib/models/fetch.ts',
    words:
      'What is there of it is kept; start again to resume. Or fetch it yourself and put it there as … (… bytes, sha256 …).',
    why: MODELS,
  },
  { file: 'lib/models/fetch.ts', words: 'the connection ended after … of … bytes', why: MODELS },
  { file: 'lib/models/fetch.ts', words: 'nothing came for a minute', why: MODELS },
  { file: 'lib/models/fetch.ts', words: 'the connection failed (…)', why: MODELS },
  {
    file: 'lib/models/fetch.ts',
    words: 'the address leads to …, which models do not come from',
    why: MODELS,
  },
  { file: 'lib/models/inference.ts', words: 'the model gave values that are no numbers', why: MODELS },
  { file: 'lib/models/inference.ts', words: 'The model … gave … values, expected ….', why: MODELS },
  { file: 'lib/models/inference.ts', words: 'Use another model.', why: MODELS },
  { file: 'lib/models/inference.ts', words: 'the model gave no numbers', why: MODELS },
  {
    file: 'lib/models/inference.ts',
    words: '… is not the file that it should be: it is damaged, or another one.',
    why: MODELS,
  },
  { file: 'lib/models/inference.ts', words: 'Delete it and start again: it is fetched anew.', why: MODELS },
  { file: 'lib/models/inference.ts', words: 'there is no picture', why: MODELS },
  { file: 'lib/models/jobs.ts', words: 'no answer', why: MODELS },
  { file: 'lib/models/models.ts', words: 'internal: … was not made ready for …', why: MODELS },
  { file: 'lib/models/models.ts', words: 'The model … knows no words.', why: MODELS },
  { file: 'lib/models/models.ts', words: 'Use one that does: siglip2-base, clip-vit-b-32.', why: MODELS },
  { file: 'lib/models/models.ts', words: 'There is no model ….', why: MODELS },
  { file: 'lib/models/onnx.ts', words: 'The model has no input or no output.', why: MODELS },
  { file: 'lib/models/onnx.ts', words: 'The model keeps its weights in another file.', why: MODELS },
  { file: 'lib/models/onnx.ts', words: 'The file is no ONNX model.', why: MODELS },
  { file: 'lib/models/onnx.ts', words: 'The sizes inside the model cannot be changed.', why: MODELS },
  { file: 'lib/models/onnx.ts', words: 'The model cannot be used at … pixels.', why: MODELS },
  { file: 'lib/models/settings.ts', words: 'a whole number from 1 to 64', why: MODELS },
  {
    file: 'lib/models/threads.ts',
    words: 'The threads that run the models end unexpectedly: ….',
    why: MODELS,
  },
  {
    file: 'lib/models/threads.ts',
    words: 'Perhaps there is too little memory: start again with fewer (models: threads in pipeline.yaml).',
    why: MODELS,
  },
  { file: 'lib/pipeline/schema.ts', words: 'a duration from 1s to 3650d, such as 7d or 36h', why: ODD },
  { file: 'lib/pipeline/stage-runner.ts', words: 'The next run is due: … left to it.', why: ODD },
  { file: 'lib/run/conclude.ts', words: 'most could not be used: …', why: ODD },
  { file: 'lib/run/index.ts', words: 'run … of … was never finished: …', why: ODD },
  { file: 'lib/run/index.ts', words: 'nothing was left', why: ODD },
  {
    file: 'lib/run/index.ts',
    words: 'closed, for it is older than refreshAfter; this run does what it left',
    why: ODD,
  },
  { file: 'lib/search/page/app.ts', words: 'no answer within … ms', why: PAGE },
  { file: 'lib/search/page/results.ts', words: 'the words', why: PAGE },
  { file: 'lib/search/page/results.ts', words: 'your picture', why: PAGE },
  { file: 'lib/search/page/serve.ts', words: 'The page cannot be opened: …', why: PAGE },
  {
    file: 'lib/search/page/serve.ts',
    words: 'Close other programs that serve pages on this computer, then try again.',
    why: PAGE,
  },
  { file: 'lib/search/page/serve.ts', words: 'internal: no port was tried', why: PAGE },
  { file: 'lib/vectors/open.ts', words: 'not an absolute path: …', why: MODELS },
  {
    file: 'lib/vectors/open.ts',
    words:
      'Search by vectors needs the package sqlite-vec, which is not installed or not made for this system.',
    why: MODELS,
  },
  { file: 'lib/vectors/open.ts', words: 'Install it beside sync-data: …', why: MODELS },
  { file: 'lib/vectors/open.ts', words: 'npm install sqlite-vec@0.1.9', why: MODELS },
  { file: 'lib/vectors/spaces.ts', words: 'internal: no space …', why: MODELS },
  { file: 'tasks/background.ts', words: 'Cutouts', why: ODD },
  { file: 'tasks/background.ts', words: 'no answer', why: ODD },
  { file: 'tasks/crawl.ts', words: 'Etsy counts …, in the last run …; it was asked twice', why: ODD },
  { file: 'tasks/embed.ts', words: 'Vectors of …', why: ODD },
  { file: 'tasks/embed.ts', words: 'internal: no space for …', why: ODD },
  { file: 'tasks/embed.ts', words: 'no answer', why: ODD },
  { file: 'tasks/reviews.ts', words: 'HTTP 404: Etsy does not know the shop', why: ODD },
  {
    file: 'tasks/reviews.ts',
    words: 'Etsy counts …, … could be read: … missing; the next run reads the shop again',
    why: ODD,
  },
  {
    file: 'tasks/rules/check-records.ts',
    words: 'image_metadata.json did not name its image; filled in from the database',
    why: ODD,
  },
  {
    file: 'tasks/rules/check-files.ts',
    words: 'a whole image that the database did not know of; recorded',
    why: ODD,
  },
  { file: 'tasks/rules/apply.ts', words: 'image … is of another listing, …', why: ODD },
  { file: 'tasks/rules/apply.ts', words: 'the address of image … is that of another, …', why: ODD },
  { file: 'tasks/rules/batch.ts', words: 'listing_id: was not asked for', why: ODD },
  {
    file: 'tasks/rules/check-cutouts.ts',
    words: 'its file is missing, or is not what was written; made again',
    why: ODD,
  },
  { file: 'tasks/rules/check-cutouts.ts', words: 'no name of a cutout; left alone', why: ODD },
  {
    file: 'tasks/rules/check-cutouts.ts',
    words: 'its listing has no image that a cutout could be of; left alone',
    why: ODD,
  },
  { file: 'tasks/rules/download.ts', words: '… is in the place of …', why: ODD },
];
