// What the console can do beyond what its pages can on their own. Every page
// reads, and every form works, without any of this. swap.js comes first: it
// keeps the page as the server sent it.
import './swap.js';
import './choose.js';
import './dialog.js';
import './filter.js';
import './form.js';
import './keys.js';
import './live.js';
import './menu.js';
import './picker.js';
import './preference.js';
import './send.js';
import './tag.js';
import './token.js';
