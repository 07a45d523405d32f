// Replaces the random numbers of Node by a sequence that is always the same, so that each run
// makes the same keys and signatures. It must be loaded first.
'use strict';

const crypto = require('crypto');

let counter = 0;
let sequence = '';

// The argument selects one of many sequences.
exports.seed = (text) => { sequence = text; };

crypto.randomBytes = (size) => {
  const blocks = [];
  for (let length = 0; length < size; length += 32) {
    blocks.push(crypto.createHash('sha256').update(`${sequence} ${counter++}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, size);
};
