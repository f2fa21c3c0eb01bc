export interface Category {
  readonly id: number;
  /** Null: at the top. */
  readonly parentId: number | null;
  readonly name: string;
}

/** Etsy's seller taxonomy as it was fetched, whole; empty where it never was: then only furniture is known, by id. */
export class Taxonomy {
  /** Epoch seconds; undefined: never. */
  readonly fetchedAt: number | undefined;
  readonly #byId: ReadonlyMap<number, Category>;
  readonly #byName = new Map<string, Category[]>();

  constructor(categories: readonly Category[], fetchedAt: number | undefined) {
    this.fetchedAt = fetchedAt;
    this.#byId = new Map(categories.map((category) => [category.id, category]));
    for (const category of categories) {
      const name = plain(category.name);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), category]);
    }
  }

  has(id: number): boolean {
    return this.#byId.size > 0 ? this.#byId.has(id) : id in FURNITURE;
  }

  nameOf(id: number): string {
    return this.#byId.get(id)?.name ?? FURNITURE[id] ?? `Taxonomy ${id}`;
  }

  /** From the top, "Home & Living > Furniture". */
  pathOf(id: number): string {
    return this.#lineOf(id).join(SEPARATOR);
  }

  /** The name, with as many of those above in front as it takes to mean no other. */
  shortestOf(id: number): string {
    const line = this.#lineOf(id);
    const tails = line.map((_, index) => line.slice(line.length - index - 1).join(SEPARATOR));
    return tails.find((tail) => this.find(tail).length === 1) ?? this.pathOf(id);
  }

  /**
   * The ids of all categories that a name, or a path such as "Bedroom Furniture > Steps & Stools", fits. A path may
   * leave out any above; one that goes from the top to a category means only that. Case, spaces around, and & or "and"
   * make no difference.
   */
  find(text: string): number[] {
    const words = text.split(SEPARATOR.trim()).map(plain);
    const [name = '', ...above] = words.toReversed();
    const fitting = (this.#byName.get(name) ?? [])
      .map(({ id }) => ({ id, line: this.#lineOf(id).map(plain) }))
      .filter(({ line }) => isWithin(above, line.toReversed().slice(1)));
    const whole = fitting.filter(({ line }) => words.length > 1 && line.length === words.length);
    return (whole.length > 0 ? whole : fitting).map(({ id }) => id);
  }

  /** All names, each once, as Etsy spells them. */
  get names(): string[] {
    return [...this.#byName.values()].flatMap(([first]) => first?.name ?? []);
  }

  /** Names from the top down to this one. */
  #lineOf(id: number): string[] {
    const category = this.#byId.get(id);
    if (!category) return [this.nameOf(id)];
    const above = category.parentId === null ? [] : this.#lineOf(category.parentId);
    return [...above, category.name];
  }
}

const SEPARATOR = ' > ';

function plain(name: string): string {
  return name.toLowerCase().replaceAll('&', ' and ').replaceAll(/\s+/g, ' ').trim();
}

/** Whether all `words` are in `line`, in this order. */
function isWithin(words: readonly string[], line: readonly string[]): boolean {
  let from = 0;
  return words.every((word) => (from = line.indexOf(word, from) + 1) > 0);
}

/** All below Furniture (dump of 2026-05-10): what most people read, so that their ids need no request. */
const FURNITURE: Readonly<Record<number, string>> = {
  967: 'Furniture',
  968: 'Bedroom Furniture',
  969: 'Beds & Headboards',
  970: 'Dressers & Armoires',
  971: 'Steps & Stools',
  972: 'Nightstands',
  973: 'Dining Room Furniture',
  974: 'Buffets & China Cabinets',
  975: 'Dining Chairs',
  976: 'Dining Sets',
  977: 'Kitchen & Dining Tables',
  978: 'Stools & Banquettes',
  979: 'Entryway & Mudroom Furniture',
  980: "Kids' Furniture",
  981: 'Bean Bag Chairs',
  982: 'Benches & Toy Boxes',
  983: 'Bookcases',
  985: 'Desks, Tables & Chairs',
  986: 'Dressers & Drawers',
  987: 'Steps & Stools',
  988: 'Toddler Beds',
  989: 'Living Room Furniture',
  990: 'Benches & Trunks',
  991: 'Bookshelves',
  992: 'Chairs',
  993: 'Coffee & End Tables',
  994: 'Console Tables & Cabinets',
  996: 'Floor Pillows',
  997: 'Slipcovers',
  998: 'Couches & Loveseats',
  999: 'Office Furniture',
  1000: 'Desk Chairs',
  1001: 'Desks',
  11355: 'Console & Sofa Tables',
  11356: 'TV Stands & Media Centers',
  11837: 'Kitchen Islands',
  12216: 'Room Dividers',
  12369: 'Benches',
  12370: 'Trunks',
  12371: 'Coffee Tables',
  12372: 'End Tables',
  12403: 'Hall Trees',
  12405: 'Standing Coat Racks',
  12406: 'Umbrella Stands',
  12408: 'Filing Cabinets',
  12455: 'Bed Frames',
  12456: 'Headboards',
  12468: 'Ottomans & Poufs',
  12470: 'Vanity Tables',
};
