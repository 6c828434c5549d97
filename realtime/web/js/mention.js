/** Keys of entries in a text. */

const WORDS = 5; // as many as a key may have
const AROUND = /^([("'[{<]*)(.*?)([.,;:!?)"'\]}>]*)$/su; // what may stand around a word that is not of it

/** The text in parts: texts, and {key} where `isKey` says that it is one. A key may have blanks; the longest is taken. */
export function mentions(text, isKey) {
  const words = text.split(/(\s+)/); // words at even places, blanks between them
  const parts = [];
  const plain = (some) => (typeof parts.at(-1) === "string" ? (parts[parts.length - 1] += some) : parts.push(some));
  for (let at = 0; at < words.length; ) {
    const found = at % 2 === 0 ? longest(words, at, isKey) : null;
    if (!found) {
      plain(words[at++]);
      continue;
    }
    plain(found.before);
    parts.push({ key: found.key });
    plain(found.after);
    at = found.next;
  }
  return parts.filter((part) => part !== "");
}

function longest(words, at, isKey) {
  for (let n = Math.min(WORDS, Math.ceil((words.length - at) / 2)); n > 0; n--) {
    const said = words.slice(at, at + 2 * n - 1).join("");
    const [, before, key, after] = said.match(AROUND);
    const next = at + 2 * n - 1;
    if (said && isKey(said)) return { before: "", key: said, after: "", next };
    if (key && isKey(key)) return { before, key, after, next };
  }
  return null;
}
