/** What a category sells: what its pictures show and its titles say. */

export const KINDS = [
  'chair',
  'armchair',
  'stool',
  'table',
  'dining',
  'desk',
  'vanity',
  'bed',
  'dresser',
  'cabinet',
  'shelf',
  'sofa',
  'bench',
  'trunk',
  'pouf',
  'rack',
  'divider',
] as const;

export type Kind = (typeof KINDS)[number];

type Sold = readonly [kind: Kind, ...names: [string, ...string[]]];

const ANYTHING: readonly [Sold, ...Sold[]] = [
  ['chair', 'Chair', 'Side Chair'],
  ['table', 'Table', 'Side Table'],
  ['shelf', 'Shelf', 'Etagere'],
  ['dresser', 'Chest of Drawers'],
  ['bench', 'Bench'],
  ['sofa', 'Settee'],
];

const SOLD: Record<number, Sold> = {
  969: ['bed', 'Bed', 'Platform Bed'],
  12455: ['bed', 'Bed Frame', 'Slatted Bed Frame'],
  12456: ['bed', 'Headboard', 'Queen Headboard'],
  970: ['dresser', 'Dresser', 'Armoire', 'Tallboy'],
  971: ['stool', 'Step Stool', 'Bedside Steps'],
  972: ['cabinet', 'Nightstand', 'Bedside Table'],
  12470: ['vanity', 'Vanity Table', 'Makeup Vanity', 'Dressing Table'],
  974: ['cabinet', 'Buffet', 'Sideboard', 'China Cabinet'],
  975: ['chair', 'Dining Chair', 'Ladderback Chair', 'Set of 4 Chairs'],
  976: ['dining', 'Dining Set', 'Table and 4 Chairs', 'Breakfast Nook Set'],
  977: ['table', 'Dining Table', 'Farmhouse Table', 'Trestle Table'],
  978: ['stool', 'Bar Stool', 'Counter Stool', 'Banquette'],
  11837: ['cabinet', 'Kitchen Island', 'Butcher Block'],
  12403: ['rack', 'Hall Tree', 'Hall Stand'],
  12405: ['rack', 'Coat Rack', 'Coat Tree'],
  12406: ['rack', 'Umbrella Stand'],
  981: ['pouf', 'Bean Bag Chair'],
  982: ['trunk', 'Toy Box', 'Toy Bench'],
  983: ['shelf', 'Montessori Bookcase', 'Kids Bookshelf'],
  985: ['chair', 'Kids Chair', 'Toddler Chair', 'Play Table'],
  986: ['dresser', 'Nursery Dresser', 'Changing Dresser'],
  987: ['stool', 'Learning Tower', 'Kids Step Stool'],
  988: ['bed', 'Toddler Bed', 'House Bed'],
  990: ['trunk', 'Blanket Chest', 'Storage Bench'],
  12369: ['bench', 'Bench', 'Entryway Bench'],
  12370: ['trunk', 'Steamer Trunk', 'Cedar Chest'],
  991: ['shelf', 'Bookshelf', 'Bookcase', 'Ladder Shelf'],
  992: ['armchair', 'Armchair', 'Lounge Chair', 'Reading Chair'],
  993: ['table', 'Occasional Table', 'Nesting Tables'],
  12371: ['table', 'Coffee Table', 'Live Edge Coffee Table'],
  12372: ['table', 'End Table', 'Side Table'],
  994: ['cabinet', 'Console Cabinet'],
  11355: ['table', 'Console Table', 'Sofa Table'],
  11356: ['cabinet', 'TV Stand', 'Media Console'],
  996: ['pouf', 'Floor Pillow', 'Floor Cushion'],
  997: ['sofa', 'Slipcover', 'Sofa Slipcover'],
  998: ['sofa', 'Sofa', 'Loveseat', 'Chesterfield'],
  12216: ['divider', 'Room Divider', 'Folding Screen'],
  12468: ['pouf', 'Ottoman', 'Pouf', 'Footstool'],
  1000: ['armchair', 'Desk Chair', 'Office Chair'],
  1001: ['desk', 'Desk', 'Writing Desk', 'Standing Desk'],
  12408: ['dresser', 'Filing Cabinet', 'File Drawers'],
};

/** What a listing of this category is: groups that are no leaf sell a bit of everything. */
export function soldIn(taxonomy: number, bits: number): { kind: Kind; name: string } {
  const [kind, ...names] = SOLD[taxonomy] ?? ANYTHING[bits % ANYTHING.length] ?? ANYTHING[0];
  return { kind, name: names[(bits >>> 4) % names.length] ?? names[0] };
}
