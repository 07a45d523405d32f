// The copy buttons of the demo's pages, and a message if the browser blocks cookies. The
// buttons are hidden without this script, and in browsers that let no page copy.
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

  // keepsCookies sets a cookie, to see whether the browser keeps it. navigator.cookieEnabled
  // is true in Chromium even if the user has blocked the site's cookies.
  function keepsCookies() {
    document.cookie = 'demo-test=1; Path=/; SameSite=Lax';
    const kept = document.cookie.includes('demo-test=1');
    document.cookie = 'demo-test=; Path=/; SameSite=Lax; Max-Age=0';
    return kept;
  }

  const cookies = document.getElementById('cookies');
  if (cookies && !keepsCookies()) {
    cookies.textContent = 'Your browser blocks cookies here, so this site would forget your sign-in at once. Allow cookies for localhost, then reload this page.';
  }
})();
