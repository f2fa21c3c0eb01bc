export interface Category {
  readonly id: number;
  /** Null: at the top. */
  readonly parentId: number | null;
  readonly name: string;
}

/** Etsy's seller taxonomy as it was fetched, whole. Where it never was (empty), only furniture is known, by id. */
export class Taxonomy {
  /** Epoch seconds; undefined: never. */
  readonly fetchedAt: number | undefined;
  readonly #byId: ReadonlyMap<number, Category>;
  readonly #byName = new Map<string, Category[]>();

  constructor(categories: readonly Category[], fetchedAt: number | undefined) {
    this.fetchedAt = fetchedAt;
    const known = categories.length > 0 ? categories : FURNITURE;
    this.#byId = new Map(known.map((category) => [category.id, category]));
    for (const category of categories) {
      const name = plain(category.name);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), category]);
    }
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  nameOf(id: number): string {
    return this.#byId.get(id)?.name ?? `Taxonomy ${id}`;
  }

  /** The category above. Null: it is at the top, or not known. */
  parentOf(id: number): number | null {
    return this.#byId.get(id)?.parentId ?? null;
  }

  /** Whether it is this category or one below it. */
  isWithin(id: number | null, category: number): boolean {
    return id !== null && (id === category || this.isWithin(this.parentOf(id), category));
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

/** All of Furniture (dump of 2026-05-10): what most people read, so that their ids need no request. */
const FURNITURE: readonly Category[] = (
  [
    [967, null, 'Furniture'],
    [968, 967, 'Bedroom Furniture'],
    [969, 968, 'Beds & Headboards'],
    [970, 968, 'Dressers & Armoires'],
    [971, 968, 'Steps & Stools'],
    [972, 968, 'Nightstands'],
    [973, 967, 'Dining Room Furniture'],
    [974, 973, 'Buffets & China Cabinets'],
    [975, 973, 'Dining Chairs'],
    [976, 973, 'Dining Sets'],
    [977, 973, 'Kitchen & Dining Tables'],
    [978, 973, 'Stools & Banquettes'],
    [979, 967, 'Entryway & Mudroom Furniture'],
    [980, 967, "Kids' Furniture"],
    [981, 980, 'Bean Bag Chairs'],
    [982, 980, 'Benches & Toy Boxes'],
    [983, 980, 'Bookcases'],
    [985, 980, 'Desks, Tables & Chairs'],
    [986, 980, 'Dressers & Drawers'],
    [987, 980, 'Steps & Stools'],
    [988, 980, 'Toddler Beds'],
    [989, 967, 'Living Room Furniture'],
    [990, 989, 'Benches & Trunks'],
    [991, 989, 'Bookshelves'],
    [992, 989, 'Chairs'],
    [993, 989, 'Coffee & End Tables'],
    [994, 989, 'Console Tables & Cabinets'],
    [996, 989, 'Floor Pillows'],
    [997, 989, 'Slipcovers'],
    [998, 989, 'Couches & Loveseats'],
    [999, 967, 'Office Furniture'],
    [1000, 999, 'Desk Chairs'],
    [1001, 999, 'Desks'],
    [11355, 994, 'Console & Sofa Tables'],
    [11356, 994, 'TV Stands & Media Centers'],
    [11837, 973, 'Kitchen Islands'],
    [12216, 989, 'Room Dividers'],
    [12369, 990, 'Benches'],
    [12370, 990, 'Trunks'],
    [12371, 993, 'Coffee Tables'],
    [12372, 993, 'End Tables'],
    [12403, 979, 'Hall Trees'],
    [12405, 979, 'Standing Coat Racks'],
    [12406, 979, 'Umbrella Stands'],
    [12408, 999, 'Filing Cabinets'],
    [12455, 969, 'Bed Frames'],
    [12456, 969, 'Headboards'],
    [12468, 989, 'Ottomans & Poufs'],
    [12470, 968, 'Vanity Tables'],
  ] as const
).map(([id, parentId, name]) => ({ id, parentId, name }));
