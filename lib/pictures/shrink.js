// A process of its own: whatever a picture does to the decoder, whoever asked for it goes on. It is handed a picture's
// bytes and answers with a small one, or with nothing.
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false);
// Three decoders, and none that reads more than the bytes it is given.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
});

process.on('message', async ({ bytes, type, width, fit, quality, most }) => {
  const sized = sharp(bytes, { limitInputPixels: most })
    .rotate()
    .resize(width, width, { fit, withoutEnlargement: true });
  const drawn = type === 'webp' ? sized.webp({ quality }) : sized.jpeg({ quality, mozjpeg: true });
  process.send?.({ small: await drawn.toBuffer().catch(() => undefined) });
});
