// Files from where a browser hands them over: a drop with its folders, the clipboard, a file field, a camera.

/** @typedef {{file: File, path: string}} Found `path` is the name below the folder that it is put into */

/** Everything that was dropped, folders walked through. @param {DataTransfer} transfer @returns {Promise<Found[]>} */
export async function dropped(transfer) {
  // The entries must be taken before anything is waited for: afterwards the browser has emptied the list.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  if (!entries.length) return [...transfer.files].map(alone);
  const found = await Promise.all(entries.map((entry) => walk(entry)));
  return found.flat();
}

/** Files of the clipboard or a camera, which call every picture the same. @param {Iterable<File>} files @param {string} word how their names begin @returns {Found[]} */
export function named(files, word) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return [...files].map((file, index) => {
    const generic = /^image\.\w+$/.test(file.name);
    return { file, path: generic ? file.name.replace("image", `${word}-${time}${index ? `-${index}` : ""}`) : file.name };
  });
}

/** @param {File} file @returns {Found} */
export const alone = (file) => ({ file, path: file.webkitRelativePath || file.name });

/** @param {any} entry a FileSystemEntry @returns {Promise<Found[]>} */
async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) return found;
    for (const each of some) if (!each.name.startsWith(".")) found.push(...(await walk(each)));
  }
}
