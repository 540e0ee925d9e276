// What the console does with scripts in addition. Without scripts every page
// can still be read and every form works. swap.js comes first: it keeps a copy
// of the page as the server sent it.
import './swap.js';
import './choose.js';
import './dialog.js';
import './filter.js';
import './form.js';
import './keys.js';
import './live.js';
import './map.js';
import './menu.js';
import './palette.js';
import './peek.js';
import './picker.js';
import './preference.js';
import './selection.js';
import './send.js';
import './tag.js';
import './token.js';
import './wall.js';
