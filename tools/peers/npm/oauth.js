// Signs requests with oauth-1.0a and sends them. Reads and writes what
// vepauth/testdata/oauthlib_client.py does.
'use strict';

const crypto = require('crypto');
const http = require('http');
const { text } = require('stream/consumers');
const OAuth = require('oauth-1.0a');

const hashes = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256' };

// formData returns a form as the package takes it: an object, with arrays for names that
// occur more than once.
function formData(body) {
  const data = {};
  for (const [name, value] of new URLSearchParams(body)) {
    data[name] = name in data ? [].concat(data[name], value) : value;
  }
  return data;
}

function sign(job, { method, uri, hash, body, realm }) {
  const oauth = OAuth({
    consumer: { key: job.key, secret: job.secret }, signature_method: hash, realm,
    hash_function: (base, key) => crypto.createHmac(hashes[hash], key).update(base).digest('base64'),
  });
  return oauth.toHeader(oauth.authorize({ url: uri, method, data: formData(body || '') }));
}

// A URL is in ASCII, so its other characters are percent-encoded first.
const ascii = (uri) => uri.replace(/[^\x21-\x7e]/g, encodeURIComponent);

const send = (job, { uri, ...rest }) => new Promise((resolve, reject) => {
  const request = { ...rest, uri: ascii(uri) };
  const [, host, target] = /^http:\/\/([^/?]*)(.*)$/.exec(request.uri);
  const headers = { ...sign(job, request), Host: host };
  if (request.body !== undefined) {
    headers['Content-Type'] = 'application/x-www-form-urlencoded';
    headers['Content-Length'] = Buffer.byteLength(request.body);
  }
  const sent = http.request({ host: job.host, port: job.port, method: request.method, path: target || '/', headers }, async (answer) => {
    resolve([answer.statusCode, await text(answer)]);
  });
  sent.on('error', reject);
  sent.end(request.body);
});

(async () => {
  const answers = [];
  for (const job of JSON.parse(await text(process.stdin))) {
    const some = [];
    for (const request of job.requests) some.push(await send(job, request));
    answers.push(some);
  }
  console.log(JSON.stringify(answers));
})();
