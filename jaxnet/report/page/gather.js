// What is dropped or chosen: files, and the folders that they are in.

/** List what was dropped: `{ name, files }` of each folder with files of its own, and with the name "" of no folder. */
export async function listDropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [{ name: "", files: [...transfer.files] }].filter(({ files }) => files.length);
  const heaps = new Map();
  const add = (name, file) => heaps.set(name, [...(heaps.get(name) ?? []), file]);
  for (const entry of entries) await walk(entry, "", add);
  return [...heaps].map(([name, files]) => ({ name, files: files.sort(byName) }));
}

async function walk(entry, folder, add) {
  if (entry.name.startsWith(".")) return; // hidden, as in a folder of jaxnet train
  if (entry.isFile) {
    add(folder, await new Promise((done, failed) => entry.file(done, failed)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // Each call returns some of the entries, and in the end none.
    const entries = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!entries.length) return;
    for (const inner of entries) await walk(inner, entry.name, add);
  }
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
