// The copy buttons of the demo's pages. They are hidden without this script, and in browsers
// that let no page copy.
(function () {
  'use strict';

  // copy copies the text of the element that the button names. The element after the
  // button is a live region: screen readers announce its text.
  async function copy(button) {
    const status = button.nextElementSibling;
    status.textContent = '';
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      status.textContent = 'Copied.';
    } catch {
      status.textContent = 'The browser does not let this page copy. Select the text and copy it.';
    }
  }

  if (navigator.clipboard) {
    for (const button of document.querySelectorAll('[data-copy]')) {
      button.hidden = false;
      button.addEventListener('click', () => copy(button));
    }
  }
})();
