// A site that signs people in with a remote verifier. Its arguments are the package that it
// uses (passport-persona or express-browserid), the verifier's host and port, and the site's
// audience. It prints its port.
'use strict';

const https = require('https');
const express = require('express');
const session = require('express-session');

const [, , name, host, port, audience] = process.argv;
const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(session({ secret: 'test', resave: false, saveUninitialized: false }));

const sites = {
  'passport-persona'() {
    const passport = require('passport');
    const { Strategy } = require('passport-persona');
    // The package asks verifier.login.persona.org. Its option for another transport redirects
    // that to our address: name, certificate and request stay as they are.
    const transport = {
      request: (options, answer) => https.request({ ...options, host, port, servername: options.host }, answer),
    };
    passport.use(new Strategy({ audience, transport }, (email, done) => done(null, { email })));
    passport.serializeUser((user, done) => done(null, user.email));
    passport.deserializeUser((email, done) => done(null, { email }));
    app.use(passport.session());
    app.post('/sign-in', (req, res, next) => {
      passport.authenticate('persona', (error, user, info, status) => {
        if (error) return res.status(500).json({ reason: error.message });
        if (!user) return res.status(status).json({ reason: info.message });
        req.logIn(user, (failed) => failed ? next(failed) : res.json({ email: user.email }));
      })(req, res, next);
    });
    app.get('/me', (req, res) => res.json({ email: req.user && req.user.email }));
  },

  'express-browserid'() {
    require('express-browserid').plugAll(app, {
      verifierPath: '/sign-in', verifier: `https://${host}:${port}/verify`, audience,
    });
    app.get('/me', (req, res) => res.json({ email: req.session.email }));
  },
};

sites[name]();
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
