// Package npm compares this project with two packages of npm, in tests only. They are
// not by its authors:
//
//   - jose verifies every token that evp/evptest and evp/issuer make.
//   - email-verification-api verifies the test vectors. disagreements.tsv explains each
//     case in which its outcome is another one than ours.
//
// The tests need Node and the packages of package-lock.json. They look for the folder in
// the environment variable EVP_NPM, whose node_modules has them:
//
//	cp evp/internal/npm/package*.json "$EVP_NPM" && npm ci --prefix "$EVP_NPM" --ignore-scripts
//
// Without the variable, the folder is vepverify/evp-npm in the user's cache. If a package is
// missing, the tests are skipped. If CI=true, they install the packages in the folder.
package npm
