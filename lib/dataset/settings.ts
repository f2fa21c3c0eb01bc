import { block, path } from '../task/forms.ts';

export const data = block('Where the dataset lies.', {
  database: path('etsy_data.db', 'The SQLite database with everything in it. A path from this file.'),
  metadata: path('image_metadata.json', 'The file of meta_data, an entry a listing. A path from this file.'),
  images: path('images', 'The folder of the images, one a listing. A path from this file.'),
  cutouts: path(
    'cutouts',
    'The folder of the images without their background, one a listing. A path from this file.',
  ),
  models: path(
    'models',
    'The folder of the models that make cutouts and vectors; files put there by hand are used. A path from this file.',
  ),
});
