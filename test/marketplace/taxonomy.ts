/** The furniture part of the taxonomy, as the public tree has it; the root counts as level 1 in real answers. */

type Tree = { [name: `${number} ${string}`]: Tree | null };

const HOME: Tree = {
  '891 Home & Living': {
    '967 Furniture': {
      '968 Bedroom Furniture': {
        '969 Beds & Headboards': { '12455 Bed Frames': null, '12456 Headboards': null },
        '970 Dressers & Armoires': null,
        '971 Steps & Stools': null,
        '972 Nightstands': null,
        '12470 Vanity Tables': null,
      },
      '973 Dining Room Furniture': {
        '974 Buffets & China Cabinets': null,
        '975 Dining Chairs': null,
        '976 Dining Sets': null,
        '977 Kitchen & Dining Tables': null,
        '978 Stools & Banquettes': null,
        '11837 Kitchen Islands': null,
      },
      '979 Entryway & Mudroom Furniture': {
        '12403 Hall Trees': null,
        '12405 Standing Coat Racks': null,
        '12406 Umbrella Stands': null,
      },
      "980 Kids' Furniture": {
        '981 Bean Bag Chairs': null,
        '982 Benches & Toy Boxes': null,
        '983 Bookcases': null,
        '985 Desks, Tables & Chairs': null,
        '986 Dressers & Drawers': null,
        '987 Steps & Stools': null,
        '988 Toddler Beds': null,
      },
      '989 Living Room Furniture': {
        '990 Benches & Trunks': { '12369 Benches': null, '12370 Trunks': null },
        '991 Bookshelves': null,
        '992 Chairs': null,
        '993 Coffee & End Tables': { '12371 Coffee Tables': null, '12372 End Tables': null },
        '994 Console Tables & Cabinets': {
          '11355 Console & Sofa Tables': null,
          '11356 TV Stands & Media Centers': null,
        },
        '996 Floor Pillows': null,
        '997 Slipcovers': null,
        '998 Couches & Loveseats': null,
        '12216 Room Dividers': null,
        '12468 Ottomans & Poufs': null,
      },
      '999 Office Furniture': { '1000 Desk Chairs': null, '1001 Desks': null, '12408 Filing Cabinets': null },
    },
  },
};

export interface TaxonomyNode {
  id: number;
  level: number;
  name: string;
  parent_id: number | null;
  children: TaxonomyNode[];
  full_path_taxonomy_ids: number[];
}

const byId = new Map<number, TaxonomyNode>();

function grow(tree: Tree, path: number[]): TaxonomyNode[] {
  return Object.entries(tree).map(([label, below]) => {
    const id = Number.parseInt(label, 10);
    const full = [...path, id];
    const node: TaxonomyNode = {
      id,
      level: full.length,
      name: label.slice(label.indexOf(' ') + 1),
      parent_id: path.at(-1) ?? null,
      children: grow(below ?? {}, full),
      full_path_taxonomy_ids: full,
    };
    byId.set(id, node);
    return node;
  });
}

export const roots: readonly TaxonomyNode[] = grow(HOME, []);

export function knownTaxonomy(id: number): boolean {
  return byId.has(id);
}

/** The id itself and everything below it; just the id where the tree does not know it. */
export function withDescendants(id: number): Set<number> {
  const found = new Set([id]);
  for (const child of byId.get(id)?.children ?? []) {
    for (const below of withDescendants(child.id)) found.add(below);
  }
  return found;
}
