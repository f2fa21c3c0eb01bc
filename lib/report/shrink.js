// A process of its own: whatever a picture does to the decoder, the report is written. It is handed a picture's bytes and
// answers with a small one, or with nothing.
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'] });

process.on('message', async ({ id, bytes, type, width, most }) => {
  const image = sharp(bytes, { limitInputPixels: most }).rotate();
  const sized = image.resize(width, width, { fit: type === 'webp' ? 'inside' : 'cover' });
  const drawn = type === 'webp' ? sized.webp({ quality: 72 }) : sized.jpeg({ quality: 72, mozjpeg: true });
  const small = await drawn.toBuffer().catch(() => undefined);
  process.send?.({ id, small });
});
