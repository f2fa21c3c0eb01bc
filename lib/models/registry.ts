/** A file of a model. What has not this size and this hash is not used, wherever it comes from. */
export interface ModelFile {
  /** In the models folder. */
  readonly name: string;
  /** Undefined: it ships with sync-data. */
  readonly url?: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** How pixels become the numbers that the model was trained on. Change one, and `recipe` gets a new number. */
export interface Pixels {
  readonly recipe: number;
  /** Width and height of what the model is given. */
  readonly size: number;
  /** Of red, green, blue, each 0 to 1: value = (pixel - mean) / deviation. */
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

interface Common {
  readonly name: string;
  readonly licence: string;
  /** A line for a person. */
  readonly about: string;
  /** Memory of one thread at most, in megabytes, and milliseconds per picture on one core: to plan with. */
  readonly megabytes: number;
  readonly milliseconds: number;
}

export interface CutoutModel extends Common {
  readonly weights: ModelFile;
  readonly pixels: Pixels;
  /** How a picture that is not square is fitted in: squeezed, or as it is, its border drawn out to a square. */
  readonly fit: 'squeeze' | 'extend';
  /** Width and height that the file is made for, where that is not `pixels.size`: it is changed when it is loaded. */
  readonly madeFor?: number;
}

export interface TextSide {
  readonly weights: ModelFile;
  readonly tokenizer: ModelFile;
  /** Version of how a listing's text is put together and cut into tokens. */
  readonly recipe: number;
  /** Tokens at most; shorter texts are filled up with `padding`. */
  readonly context: number;
  readonly padding: number;
  /** Ends every text. */
  readonly end: number;
  readonly lowerCase: boolean;
  /** Type of the ids. */
  readonly ids: 'int32' | 'int64';
  readonly output: string | undefined;
}

export interface EmbeddingModel extends Common {
  readonly dims: number;
  readonly weights: ModelFile;
  readonly pixels: Pixels;
  /** How a picture that is not square is fitted in: squeezed, or its middle cut out (`of`: shorter side before the cut). */
  readonly fit: { readonly how: 'squeeze' } | { readonly how: 'middle'; readonly of: number };
  /** Name of the output, undefined: the first. `first`: of several vectors, that of the whole picture comes first. */
  readonly output: string | undefined;
  readonly text?: TextSide;
}

const HUB = 'https://huggingface.co';
const REMBG = 'https://github.com/danielgatis/rembg/releases/download/v0.0.0';
const SIGLIP2 = `${HUB}/onnx-community/siglip2-base-patch16-224-ONNX/resolve/ba1f3b0843f24bc5417d38e19c37b287d719b2f4`;
const CLIP = `${HUB}/immich-app/ViT-B-32__laion2b-s34b-b79k/resolve/19a057a0fb927cf239541300e74237cd56c7ffe2`;

const ISNET: ModelFile = {
  name: 'isnet-general-use.onnx',
  url: `${REMBG}/isnet-general-use.onnx`,
  bytes: 178_648_008,
  sha256: '60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a',
};
const ISNET_LICENCE = 'Apache-2.0; the pictures that it learned from (DIS5K) have terms of their own';
const HALF = { mean: [0.5, 0.5, 0.5], deviation: [1, 1, 1] } as const;
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

export const CUTOUT_MODELS = [
  {
    name: 'isnet-512',
    licence: ISNET_LICENCE,
    about: 'ISNet at 512 pixels: as fine as a listing photo of 570 pixels is.',
    weights: ISNET,
    madeFor: 1024,
    pixels: { recipe: 2, size: 512, ...HALF },
    fit: 'extend',
    megabytes: 900,
    milliseconds: 500,
  },
  {
    name: 'isnet-1024',
    licence: ISNET_LICENCE,
    about: 'ISNet at 1024 pixels: finer edges for four times the work.',
    weights: ISNET,
    pixels: { recipe: 2, size: 1024, ...HALF },
    fit: 'extend',
    megabytes: 1700,
    milliseconds: 2000,
  },
  {
    name: 'u2net',
    licence: 'Apache-2.0',
    about: 'U2-Net at 320 pixels: what the earlier system used.',
    weights: {
      name: 'u2net.onnx',
      url: `${REMBG}/u2net.onnx`,
      bytes: 175_997_641,
      sha256: '8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491',
    },
    pixels: { recipe: 1, size: 320, ...IMAGENET },
    fit: 'squeeze',
    megabytes: 900,
    milliseconds: 1000,
  },
  {
    name: 'baseline',
    licence: 'as sync-data',
    about: 'Colour distance from the border: nothing to download, for trying out.',
    weights: {
      name: 'baseline-mask.onnx',
      bytes: 4289,
      sha256: '600b8170a4be2450319f473522a1f3c53471556278b6b4e52a55614dd46404de',
    },
    pixels: { recipe: 1, size: 256, mean: [0, 0, 0], deviation: [1, 1, 1] },
    fit: 'squeeze',
    megabytes: 100,
    milliseconds: 15,
  },
] as const satisfies readonly CutoutModel[];

export const EMBEDDING_MODELS = [
  {
    name: 'siglip2-base',
    licence: 'Apache-2.0',
    about: 'SigLIP2 base/16 at 224 pixels, for pictures and words.',
    dims: 768,
    weights: {
      name: 'siglip2-base-vision-fp16.onnx',
      url: `${SIGLIP2}/onnx/vision_model_fp16.onnx`,
      bytes: 186_039_516,
      sha256: 'a1959f7bd3993a607e48839f6d01e25b876fe76afda301b028b78eef68aabd95',
    },
    pixels: { recipe: 2, size: 224, mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
    fit: { how: 'squeeze' },
    output: 'pooler_output',
    text: {
      weights: {
        name: 'siglip2-base-text-fp16.onnx',
        url: `${SIGLIP2}/onnx/text_model_fp16.onnx`,
        bytes: 564_862_230,
        sha256: '711da56ada0a4aa11c7dd3320df741081a3cae4f0ae1b5e5c6d5b294738d0eb0',
      },
      tokenizer: {
        name: 'siglip2-base-tokenizer.json',
        url: `${SIGLIP2}/tokenizer.json`,
        bytes: 34_363_039,
        sha256: 'cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322',
      },
      recipe: 1,
      context: 64,
      padding: 0,
      end: 1,
      // As it was trained; its tokenizer does not do so by itself.
      lowerCase: true,
      ids: 'int64',
      output: 'pooler_output',
    },
    megabytes: 1200,
    milliseconds: 220,
  },
  {
    name: 'clip-vit-b-32',
    licence: 'MIT',
    about:
      'CLIP ViT-B/32 (laion2b) at 224 pixels, for pictures and words: small, and a model of the earlier system.',
    dims: 512,
    weights: {
      name: 'clip-vit-b-32-vision.onnx',
      url: `${CLIP}/visual/model.onnx`,
      bytes: 351_613_724,
      sha256: 'b9ce24b91a8c62ef8d40ea786051709c93140104cbf2b6b4a2cc270df3838f9c',
    },
    pixels: {
      recipe: 2,
      size: 224,
      mean: [0.48145466, 0.4578275, 0.40821073],
      deviation: [0.26862954, 0.26130258, 0.27577711],
    },
    fit: { how: 'middle', of: 224 },
    output: undefined,
    text: {
      weights: {
        name: 'clip-vit-b-32-text.onnx',
        url: `${CLIP}/textual/model.onnx`,
        bytes: 254_193_396,
        sha256: '48c25be37b352398f2533c9426dab6f9340535e14e46f884cc894236a5060722',
      },
      tokenizer: {
        name: 'clip-tokenizer.json',
        url: `${HUB}/Xenova/clip-vit-base-patch32/resolve/d15189d7028b43f1d3e65039190477f6af591c2a/tokenizer.json`,
        bytes: 2_224_119,
        sha256: 'f7f3b7af117d467b58374797691a6438d3e6b9e9cef800dfd5dced7f697a90cd',
      },
      recipe: 1,
      context: 77,
      padding: 0,
      end: 49_407,
      lowerCase: true,
      ids: 'int32',
      output: undefined,
    },
    megabytes: 1200,
    milliseconds: 60,
  },
  {
    name: 'dinov2-small',
    licence: 'Apache-2.0',
    about: 'DINOv2-small at 224 pixels, for pictures alone: the same piece in other photos.',
    dims: 384,
    weights: {
      name: 'dinov2-small.onnx',
      url: `${HUB}/Xenova/dinov2-small/resolve/c2bb04a51fab207c420665f1946016107bffc701/onnx/model.onnx`,
      bytes: 88_459_888,
      sha256: '83141175ec78b4ff9a2bb58a4c7c264ba0054d1c2e122e5a8114b79a8d4179ea',
    },
    pixels: { recipe: 2, size: 224, ...IMAGENET },
    fit: { how: 'middle', of: 256 },
    output: 'last_hidden_state',
    megabytes: 500,
    milliseconds: 70,
  },
  {
    name: 'baseline',
    licence: 'as sync-data',
    about: 'Colours and outlines on a grid: nothing to download, for trying out. Knows no words.',
    dims: 632,
    weights: {
      name: 'baseline-vector.onnx',
      bytes: 7321,
      sha256: 'b515580587cdfbd176c5f37a7c79485d83a487a62b725e7c101f3c6d3daadf0f',
    },
    pixels: { recipe: 2, size: 128, mean: [0, 0, 0], deviation: [1, 1, 1] },
    fit: { how: 'squeeze' },
    output: undefined,
    megabytes: 100,
    milliseconds: 6,
  },
] as const satisfies readonly EmbeddingModel[];

/** Every model by what `with:` of a stage calls it. */
export interface Registry {
  readonly cutouts: readonly CutoutModel[];
  readonly embeddings: readonly EmbeddingModel[];
}

export const REGISTRY: Registry = { cutouts: CUTOUT_MODELS, embeddings: EMBEDDING_MODELS };
