// Keys, certificates and assertions with WebCrypto. The algorithm is RSA with 2048
// bits, SHA-256 and PKCS#1 v1.5, which the protocol calls RS256.

const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256',
  modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]),
};

const CERTIFICATE_LIFE = 600; // seconds; it only has to be valid longer than the assertion
const ASSERTION_LIFE = 120000; // milliseconds

// Refused is the error of a request that the provider refused, with the provider's
// message. field is the member of the request that is at fault, or undefined.
export class Refused extends Error {
  constructor({ error, field }) {
    super(error);
    this.field = field;
  }
}

// Unanswered is the error of a request that the provider did not answer: it was not reached,
// or another program has its port.
export class Unanswered extends Error {}

// newKeys makes a key pair. The private half cannot be extracted from the browser.
export function newKeys() {
  return crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
}

// certify requests a certificate from the provider.
export async function certify(email, publicKey) {
  const body = JSON.stringify({ email, 'public-key': await legacyForm(publicKey), duration: CERTIFICATE_LIFE });
  const headers = { 'Content-Type': 'application/json' };
  const unanswered = cause => { throw new Unanswered('', { cause }); };
  const response = await fetch('/certify', { method: 'POST', headers, body }).catch(unanswered);
  const answer = await response.json().catch(unanswered);
  if (!response.ok) throw new Refused(answer);
  return answer.certificate;
}

// assertion returns a backed assertion for the audience.
export async function assertion(audience, privateKey, certificate) {
  const claims = { aud: audience, exp: Date.now() + ASSERTION_LIFE };
  const signed = base64url(utf8(JSON.stringify({ alg: 'RS256' }))) + '.' + base64url(utf8(JSON.stringify(claims)));
  const signature = await crypto.subtle.sign(ALGORITHM.name, privateKey, utf8(signed));
  return certificate + '~' + signed + '.' + base64url(new Uint8Array(signature));
}

// legacyForm returns a key as certificates contain it: in decimal numbers.
async function legacyForm(publicKey) {
  const { n, e } = await crypto.subtle.exportKey('jwk', publicKey);
  return { algorithm: 'RS', n: decimal(n), e: decimal(e) };
}

function decimal(text) {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const hex = Array.from(bytes, byte => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return BigInt('0x' + hex).toString();
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function utf8(text) {
  return new TextEncoder().encode(text);
}
