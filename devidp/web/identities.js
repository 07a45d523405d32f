// The addresses that were used in this browser, each with its key pair, in
// IndexedDB. The private halves cannot be read, by this page either: the browser
// signs with them.
//
// A record is {email, publicKey, privateKey, used}, the last of which is a time
// in milliseconds. Certificates are not kept: there is a new one for each
// assertion, so that a provider that was started anew is no surprise.

const STORE = 'identities';

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('devidp', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'email' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// within gives the result of one request once it is on record.
async function within(mode, ask) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

// at gives the records of a domain's addresses, the last used first. Another
// provider may have had this origin before.
export async function at(domain) {
  const all = await within('readonly', store => store.getAll());
  return all.filter(record => record.email.endsWith('@' + domain)).sort((a, b) => b.used - a.used);
}

export const keep = record => within('readwrite', store => store.put(record));

export const forget = email => within('readwrite', store => store.delete(email));
