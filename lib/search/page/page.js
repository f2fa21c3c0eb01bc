// What the page does beyond links and forms: drop and paste of pictures, keys, cutouts by toggle. Works without it, too.

const upload = document.querySelector('form.picture');
const file = document.querySelector('#file');

/** Sends the picture as the form would. */
function searchWith(picture) {
  if (!file || !upload || !/^image\/(jpeg|png|webp)$/.test(picture.type)) return;
  const list = new DataTransfer();
  list.items.add(picture);
  file.files = list.files;
  upload.classList.add('busy');
  upload.requestSubmit();
}

if (file && upload) {
  upload.classList.add('live');
  file.addEventListener('change', () => file.files.length > 0 && upload.requestSubmit());
  for (const name of ['dragover', 'dragleave', 'drop']) {
    addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      document.body.classList.toggle('dropping', name === 'dragover');
      const [picture] = event.dataTransfer.files;
      if (name === 'drop' && picture) searchWith(picture);
    });
  }
  addEventListener('paste', (event) => {
    const [picture] = event.clipboardData?.files ?? [];
    if (picture) searchWith(picture);
  });
}

const toggle = document.querySelector('#cutouts');
function showCutouts(shown) {
  document.body.classList.toggle('cutouts', shown);
  toggle.setAttribute('aria-pressed', String(shown));
  sessionStorage.setItem('cutouts', shown ? '1' : '');
}
if (toggle) {
  toggle.hidden = false;
  showCutouts(sessionStorage.getItem('cutouts') === '1');
  toggle.addEventListener('click', () => showCutouts(!document.body.classList.contains('cutouts')));
}

const keys = document.querySelector('#keys');
const cards = [...document.querySelectorAll('.card')];
const current = () => document.activeElement?.closest('.card') ?? document.querySelector('article.listing');

/** To the next card in that direction, by where they stand on the screen. */
function move(key) {
  const links = cards.map((card) => card.querySelector('a'));
  const at = cards.indexOf(current());
  if (at < 0) return links[0]?.focus();
  const top = (card) => Math.round(card.getBoundingClientRect().top);
  const columns = Math.max(1, cards.filter((card) => top(card) === top(cards[0])).length);
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  links[at + step]?.focus();
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === 'Escape') {
    if (keys.open) return;
    if (isTyping) event.target.blur();
    else if (location.pathname !== '/') history.back();
    return;
  }
  if (isTyping) return;
  if (event.key.startsWith('Arrow') && cards.length > 0 && (current() || event.key === 'ArrowDown')) {
    if (!current() && scrollY > 0) return;
    event.preventDefault();
    move(event.key);
  } else if (event.key === '/') {
    event.preventDefault();
    document.querySelector('#q').select();
  } else if (event.key === '?') keys.showModal();
  else if (event.key === 'c') toggle?.click();
  else if (event.key === 'm' && current()) location.assign(current().dataset.like);
  else if (event.key === 'o' && current()?.dataset.etsy) open(current().dataset.etsy, '_blank', 'noopener');
});
