// The addresses that were used in this browser, each with its key pair, in
// IndexedDB. No page can read the private halves, not even this one: the browser
// signs with them.
//
// A record is {email, publicKey, privateKey, used}; used is a time in milliseconds.
// Certificates are not stored. Each assertion gets a new one, so that it is valid
// after the provider was restarted with another key.

const STORE = 'identities';

function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('devidp', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'email' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// inTransaction returns the result of one request after the transaction is complete.
async function inTransaction(mode, ask) {
  const database = await openDatabase();
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

// at returns the records of a domain's addresses, the last used first. There may be
// others, because another provider may have had this origin before.
export async function at(domain) {
  const all = await inTransaction('readonly', store => store.getAll());
  return all.filter(record => record.email.endsWith('@' + domain)).sort((a, b) => b.used - a.used);
}

export const keep = record => inTransaction('readwrite', store => store.put(record));

export const forget = email => inTransaction('readwrite', store => store.delete(email));
