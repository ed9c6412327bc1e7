// The libraries, as a page without modules has them.
window.JsSIP = require("jssip");
window.SIP = require("sip.js");
