/** Titles, descriptions and reviews, as untidy as sellers and buyers write them. */
import { quotable, type Bytes } from './bytes.ts';
import { aspect, hash, pick, share } from './random.ts';

const STYLES = ['Mid-Century', 'Rustic', 'Scandinavian', 'Farmhouse', 'Art Deco', 'Industrial', 'Boho', 'Minimalist', 'Vintage', 'Shaker', 'Japandi', 'Bauhaus Style', 'Country', 'Handmade'] as const; // prettier-ignore
const WOODS = ['Walnut', 'Oak', 'Reclaimed Pine', 'Teak', 'Cherry Wood', 'Maple', 'Ash', 'Rattan', 'Mango Wood', 'Birch', 'Mahogany', 'Beech', 'Steel & Wood', 'Velvet', 'Linen'] as const; // prettier-ignore
const EXTRAS = quotable([
  'Solid Wood',
  '| Custom Size',
  '36&quot; Wide',
  'Free Shipping!',
  '- Hand Carved',
  '(Made to Order)',
  'w/ Drawers',
  'for Small Spaces',
  '&#39;Nordic&#39; Line',
  '120 cm x 80 cm',
  'Home & Living Gift',
  'Unique Piece 🪑',
  '— Möbel für Zuhause',
  '★ Best Seller ★',
  'Entryway, Bedroom, Office',
  'Eco-Friendly 🌿',
]);
const PARAGRAPHS = quotable([
  'Each piece is built by hand in our small workshop from boards we pick ourselves. Grain and tone vary, so yours will be one of a kind.',
  'DIMENSIONS\n- Height: 30&quot; (76 cm)\n- Width: 36&quot; (91 cm)\n- Depth: 18&quot; (46 cm)\nOther sizes on request, just send us a message.',
  'Finished with three coats of hard-wax oil &amp; buffed by hand. Wipe with a damp cloth; don&#39;t use harsh cleaners.',
  'SHIPPING 📦 We ship in a wooden crate. Delivery takes 2–4 weeks & is to the kerb only. Please make sure it fits through your door!',
  'The joints are mortise and tenon, glued and pegged. No screws, no particle board, nothing that comes loose after a year.',
  '✨ WHY YOU WILL LOVE IT ✨\n• Solid wood all the way through\n• Soft-close drawers\n• Arrives assembled\n• Looks even better in ten years',
  'Condition: very good for its age. There are small marks on the top and one repaired leg (see the last picture). Sturdy and ready to use.',
  'Returns are accepted within 14 days. Made-to-order pieces cannot be returned, as they are cut to your measurements.',
  'Found in a farmhouse that was cleared last spring. We cleaned it, treated it against woodworm and left the patina as it was.',
  'Our wood comes from forests that are certified & replanted. Offcuts heat the workshop in winter.',
  'Upholstered in heavy linen; the cover comes off and can be washed at 30°C. Choose from 12 colours: natural, sand, olive, rust, navy and more.',
  'Assembly takes about ten minutes, an Allen key is included. Legs are packed inside the drawer.',
  'Please note: colours on a screen differ. Ask for a free sample: “better safe than sorry” 🙂',
  'PLEASE READ\u{fffc}\nThe photo shows the large size. Chair, lamp and books are not included.',
  'Fabriqué à la main en bois massif. Chaque pièce est unique, légèrement différente de la photo.',
  'Maximum load 120 kg / 265 lb. Felt pads are under every foot, so it glides over wooden floors.',
]);
const SENTENCES = [
  'Beautiful piece, exactly as described.',
  'Even better in person! 😍',
  'Took a while to arrive but it&#39;s worth it.',
  'Sturdy & well made.',
  'The colour is a little darker than in the pictures.',
  'Seller answered every question within the hour.',
  'One leg was scratched, they sent a new one at once.',
  'Perfect for our small flat.',
  'Würde ich wieder kaufen.',
  'Très satisfaite, merci !',
  'Came well packed.',
  'My daughter loves it ❤️',
  'Easy to put together.',
  'Not what I expected, smaller than I thought.',
] as const;

const STYLE = aspect('text.style');
const WOOD = aspect('text.wood');
const EXTRA = aspect('text.extra');
const LENGTH = aspect('text.length');
const BODY = aspect('text.body');
const REVIEW = aspect('text.review');

export const style = (seed: number, subject: number): string => pick(STYLES, hash(seed, subject, STYLE));
export const wood = (seed: number, subject: number): string => pick(WOODS, hash(seed, subject, WOOD));

/** As it stands between the quotes of a JSON string. */
export function title(seed: number, subject: number, name: string): Bytes {
  const words = [style(seed, subject), wood(seed, subject), name];
  for (let extras = hash(seed, subject, LENGTH) % 4; extras > 0; extras--) {
    words.push(pick(EXTRAS, hash(seed, subject, EXTRA + extras)));
  }
  return words.join(' ');
}

/** As it stands between the quotes of a JSON string. */
export function description(seed: number, subject: number, opening: Bytes): Bytes {
  // Most run to a few paragraphs, a few to several thousand characters.
  const size = share(seed, subject, LENGTH);
  const paragraphs = size > 0.985 ? 40 : 2 + Math.floor(size * 7);
  let text = opening;
  for (let p = 0; p < paragraphs; p++) text += '\\n\\n' + pick(PARAGRAPHS, hash(seed, subject, BODY + p));
  return text;
}

export function reviewText(seed: number, subject: number): string {
  const words: string[] = [];
  for (let count = hash(seed, subject, LENGTH) % 5; count > 0; count--) {
    words.push(pick(SENTENCES, hash(seed, subject, REVIEW + count)));
  }
  return words.join(' ');
}
