// How much one answer, record, text or file of somebody else may cost. Every bound stands here, with what it is set by.

/** Rows in one answer of Etsy, and ids in one batch, at most. */
export const PAGE = 100;

/** An API answer, after decompression. A page of 100 listings has 0.3 to 1 MB; the longest descriptions make it 5. Bytes. */
export const MOST_BODY_BYTES = 8 * 1024 * 1024;
/** Of an error answer: the reason is at its start. Bytes. */
export const MOST_ERROR_BYTES = 64 * 1024;
/** Values in one JSON answer. A full batch with images and shops has about 30,000. */
export const MOST_VALUES = 150_000;
/** Levels of lists and blocks within each other. Etsy's answers have 6. */
export const MOST_DEPTH = 64;
/** Items of a list within a record: tags, materials, images. Etsy allows 20 at most. */
export const MOST_ITEMS = 1000;
/** Categories in Etsy's tree. It has 3,000. */
export const MOST_CATEGORIES = 50_000;
/** What a search may count. Etsy has about 100 million listings. */
export const MOST_COUNT = 1_000_000_000;

/** Of an error text of a server, as it enters. Characters. */
export const MOST_ERROR_TEXT = 200;
/** Of the reason why a record was set aside: so many faults of it, and characters in all. */
export const MOST_FAULTS = 5;
export const MOST_REASON = 500;
/** Of a message that is kept, logged or shown. Characters. */
export const MOST_MESSAGE = 4000;

/** An image, downloaded or found in the images folder. Those of 570 pixels have 20 to 200 KB. Bytes. */
export const MOST_IMAGE_BYTES = 20 * 1024 * 1024;
/** Of a picture, looked at before anything is decoded. */
export const MOST_PICTURE_PIXELS = 25_000_000;
/** A file of settings: pipeline.yaml, .env. Bytes. */
export const MOST_SETTINGS_BYTES = 256 * 1024;
/** What the text of pipeline.yaml may consist of. The one that ships with sync-data has 200 tokens and no alias. */
export const MOST_YAML_TOKENS = 20_000;
export const MOST_YAML_ALIASES = 100;
/** Mistakes in it that are shown; the rest is counted. */
export const MOST_MISTAKES = 50;
/** An entry of image_metadata.json, its key included. Bytes. */
export const MOST_ENTRY_BYTES = 1024 * 1024;

/** A picture that somebody searches with. Bytes. */
export const MOST_PICTURE_BYTES = 10_000_000;
/** Of what somebody searches for: characters, and pictures and listings in one search. */
export const MOST_QUERY = 300;
export const MOST_EXAMPLES = 8;

/** Between computers: a job or an answer as JSON, pictures as base64 in it. Both ends refuse more. Bytes. */
export const MOST_JOB_BYTES = 32 * 1024 * 1024;
/** Pictures or texts in one job. */
export const MOST_BATCH = 16;
/** A cutout as a worker sends it: one of 2048 pixels has 1 MB. Bytes. */
export const MOST_CUTOUT_BYTES = 8 * 1024 * 1024;
/** Characters of a listing's words in a job. */
export const MOST_WORDS = 20_000;
/** Numbers of a vector. */
export const MOST_DIMS = 4096;
/** Workers that a coordinator knows at once, and threads of one. */
export const MOST_WORKERS = 64;
/** Pictures that are read and not yet answered for, in all: so many, and so many bytes. */
export const MOST_IN_WINDOW = 1024;
export const MOST_WINDOW_BYTES = 128 * 1024 * 1024;
