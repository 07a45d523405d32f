// Restores the nonce of the token fields of github.com/vepverify/vepverify/evp. Browsers empty
// the attribute nonce if the page has a Content-Security-Policy, before they read it for EVP.
(function () {
  'use strict';
  function restore() {
    for (const field of document.querySelectorAll('input[data-evp-nonce]')) {
      field.setAttribute('nonce', field.dataset.evpNonce);
    }
  }
  restore();
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', restore);
})();
