// What is dropped or chosen: files, and the folders that they are in.

/** List what was dropped: `{ name, files }` of each folder with files of its own, and with the name "" of no folder. */
export async function listDropped(transfer) {
  // All at once: the items are gone after the first wait. Of a page from a file, Chromium reads no entries.
  const things = [...transfer.items]
    .filter(({ kind }) => kind === "file")
    .map((item) => item.getAsFileSystemHandle?.() ?? item.webkitGetAsEntry?.());
  const files = [...transfer.files];
  const heaps = new Map();
  const add = (name, file) => heaps.set(name, [...(heaps.get(name) ?? []), file]);
  if (things.some((thing) => !thing)) for (const file of files) add("", file);
  else for (const thing of await Promise.all(things)) await walk(thing, "", add);
  return [...heaps].map(([name, list]) => ({ name, files: list.sort(byName) }));
}

/** Add the files in a file or folder, which is a handle or an entry; hidden ones are left out, as in Python. */
async function walk(thing, folder, add) {
  if (thing.name.startsWith(".")) return;
  if (thing.kind === "file") add(folder, await thing.getFile());
  else if (thing.isFile) add(folder, await new Promise((done, failed) => thing.file(done, failed)));
  else if (thing.kind) for await (const inner of thing.values()) await walk(inner, thing.name, add);
  else for (const inner of await readEntries(thing.createReader())) await walk(inner, thing.name, add);
}

async function readEntries(reader) {
  // Each call returns some of the entries, and in the end none.
  const entries = await new Promise((done, failed) => reader.readEntries(done, failed));
  return entries.length ? [...entries, ...(await readEntries(reader))] : [];
}

/** List the files of a folder that was chosen, or files alone, by their folders. */
export function listChosen(files) {
  const heaps = new Map();
  for (const file of files) {
    const folders = (file.webkitRelativePath || "").split("/").slice(0, -1);
    if (file.name.startsWith(".") || folders.some((folder) => folder.startsWith("."))) continue;
    const name = folders.at(-1) ?? "";
    heaps.set(name, [...(heaps.get(name) ?? []), file]);
  }
  return [...heaps].map(([name, list]) => ({ name, files: list.sort(byName) }));
}

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Take at most `most` of a list, evenly spaced over it. */
export function thin(list, most) {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, at) => list[Math.floor((at * list.length) / most)]);
}
