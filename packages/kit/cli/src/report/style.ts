// Colours are chosen for contrast on their surface: 4.5 to 1 for text, 3 to 1 for what a drawing needs.
const LIGHT = `--page:#f7f5f1;--surface:#fff;--ink:#1c1e22;--dim:#575c66;--line:#dcd8d0;--grid:#ebe8e2;--arrow:#8b8f98;--edge:#b5b1a8;
--built:#177a54;--built-soft:#e6f4ed;--cached:#767b85;--failed:#b8332a;--failed-soft:#fbeae8;--open:#8a5a00;--open-soft:#fbf1dc;--new:#1f5fa8;--new-soft:#e6effa;
--base:#5d6b7c;--setup:#b3761c;--component:#b4533a;--runtime:#23788a;--metadata:#7766a0;`;
const DARK = `--page:#131519;--surface:#1b1e24;--ink:#e9e7e3;--dim:#a6abb6;--line:#343943;--grid:#272b33;--arrow:#7c828e;--edge:#505764;
--built:#4fc78f;--built-soft:#16332a;--cached:#8b919d;--failed:#ff8377;--failed-soft:#42211f;--open:#e5b04a;--open-soft:#3a2e16;--new:#7db4f5;--new-soft:#1a2d45;
--base:#8c9db3;--setup:#d8a347;--component:#e38266;--runtime:#57b5c6;--metadata:#a897d3;`;

/** The style of the page. */
export const STYLE = `
:root{color-scheme:light dark;${LIGHT}
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif;
--mono:ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.5rem 4rem;max-width:67rem;background:var(--page);color:var(--ink);font:16px/1.5 var(--sans);-webkit-text-size-adjust:100%}
h1,h2,h3,p,dl,dd,ul{margin:0;padding:0}
h1{font-size:clamp(1.5rem,4vw,2.25rem);line-height:1.2;letter-spacing:-.02em;overflow-wrap:anywhere}
h2{font-size:1.2rem;letter-spacing:-.01em;margin-bottom:1rem}
h3{font-size:.95rem;margin:1.25rem 0 .6rem}
ul{list-style:none}
code{font:.9em var(--mono);overflow-wrap:anywhere}
a{color:var(--new)}
.dim,.why,.left-out{color:var(--dim);font-size:.9rem}
.why{display:block;font:400 .82rem/1.4 var(--sans);overflow-wrap:anywhere}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.nobreak{overflow-wrap:anywhere}
.brand{display:flex;align-items:center;gap:.5rem;color:var(--dim);font-weight:600;font-size:.9rem;margin-bottom:1.25rem}
.logo path{fill:none;stroke:var(--runtime);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.logo path:first-child{fill:var(--component);stroke:var(--component)}
.logo path:last-child{stroke:var(--setup)}
header{display:flex;flex-direction:column;gap:.6rem;margin-bottom:1.5rem;overflow-wrap:anywhere}
header .brand{margin-bottom:.5rem}
.outcome{display:flex;align-items:center;gap:.5rem;font-size:1.05rem}
.outcome.failed{color:var(--failed)}.outcome.not-reached{color:var(--open)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:.75rem;margin-top:.75rem}
.tile{background:var(--surface);border:1px solid var(--line);border-radius:12px;padding:.8rem 1rem;min-width:0}
.tile dt{color:var(--dim);font-size:.85rem}
.tile b{display:block;font-size:1.4rem;line-height:1.3;letter-spacing:-.01em}
.tile span{color:var(--dim);font-size:.82rem}
section{background:var(--surface);border:1px solid var(--line);border-radius:14px;padding:1.5rem;margin-top:1rem;min-width:0}
section p{margin-bottom:.75rem}
section>:last-child{margin-bottom:0}
table{width:100%;border-collapse:collapse;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:.9rem 0 .3rem}
th,td{padding:.45rem .5rem;text-align:left;vertical-align:top;border-top:1px solid var(--grid)}
th:first-child{padding-left:0}td:last-child,th:last-child{padding-right:0}
thead th{border-top:0;color:var(--dim);font-weight:500;font-size:.82rem}
tbody th,tfoot th{font:400 .85rem/1.6 var(--mono);overflow-wrap:anywhere}
tfoot th,tfoot td{font:600 .92rem/1.6 var(--sans);border-top:1px solid var(--line)}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.sign-box{flex:none;vertical-align:-.25em;margin-right:.35rem}
.mark .full{fill:var(--built)}.mark .sign{fill:none;stroke:var(--surface);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.mark .ring{fill:none;stroke:var(--cached);stroke-width:1.6}.mark .dot{fill:var(--cached)}
.mark .dashed{stroke-dasharray:2.6 2.2;stroke:var(--open)}
.mark.failed .full{fill:var(--failed)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;color:var(--dim);font-size:.85rem}
.legend span{white-space:nowrap}
.changes li{display:flex;gap:.75rem;padding:.5rem 0;border-top:1px solid var(--grid)}
.changes li>span:last-child{min-width:0}
.changes code{display:inline-block;margin-right:.75rem}
.tag{flex:none;width:4.6rem;height:1.5rem;border-radius:6px;text-align:center;font:600 .75rem/1.5rem var(--sans);background:var(--grid);color:var(--dim)}
.tag.rebuilt{background:var(--built-soft);color:var(--built)}.tag.new{background:var(--new-soft);color:var(--new)}
.tag.failed{background:var(--failed-soft);color:var(--failed)}.tag.changed{background:var(--open-soft);color:var(--open)}
.graph{display:block;max-width:100%;height:auto;margin:.25rem auto 1rem}
.graph.narrow{display:none}
.arrow{fill:none;stroke:var(--arrow);stroke-width:1.4;stroke-linejoin:round;stroke-linecap:round}
.node rect{fill:var(--surface);stroke:var(--edge);stroke-width:1.2}
.node text{fill:var(--ink)}
.node .name{font:500 12.5px var(--mono)}.node .note{font:11px var(--sans);fill:var(--dim)}
.node.built rect{fill:var(--built-soft);stroke:var(--built)}
.node.failed rect{fill:var(--failed-soft);stroke:var(--failed)}
.node.not-reached rect{stroke-dasharray:4 3;stroke:var(--open)}
summary{cursor:pointer;color:var(--dim);font-size:.9rem;padding:.25rem 0}
.lane{display:flex;align-items:center;gap:1rem}
.label{display:flex;flex:0 0 19rem;min-width:0;overflow-wrap:anywhere;line-height:1.4}
.track{flex:1 1 0;width:100%;min-width:0;overflow:visible}
.timeline th,.timeline td,.sizes th,.sizes td{vertical-align:middle}
.timeline td{width:6.5rem}
.grid{stroke:var(--grid)}
.axis text{fill:var(--dim);font:11.5px var(--sans)}
.bar.built rect{fill:var(--built)}.bar.failed rect{fill:var(--failed)}
.chips{display:flex;flex-wrap:wrap;gap:.4rem}
.chips li{border:1px solid var(--line);border-radius:99px;padding:.1rem .7rem .1rem .4rem;font:.8rem/1.6 var(--mono);color:var(--dim);overflow-wrap:anywhere}
.strata{display:block;width:100%;border-radius:6px;margin-bottom:.6rem}
.strata rect{stroke:var(--surface);stroke-width:1.5}
.kind.base,.kind.base rect{fill:var(--base)}.kind.setup,.kind.setup rect{fill:var(--setup)}
.kind.component,.kind.component rect{fill:var(--component)}.kind.runtime,.kind.runtime rect{fill:var(--runtime)}
.kind.metadata,.kind.metadata rect{fill:var(--metadata)}
.sizes td:last-child{width:4rem}
.facts div{display:flex;gap:1rem;padding:.45rem 0;border-top:1px solid var(--grid)}
.facts dt{flex:0 0 6rem;color:var(--dim)}
.facts dd{min-width:0;overflow-wrap:anywhere}
@media (max-width:1080px){.graph.wide{display:none}.graph.narrow{display:block}}
@media (max-width:760px){
body{padding:1.25rem 1rem 3rem}
section{padding:1rem;margin-left:-.5rem;margin-right:-.5rem}
.tiles{grid-template-columns:1fr 1fr}
.lane{flex-direction:column;align-items:stretch;gap:.1rem}
.label{flex:none}
.track{flex:none}
.timeline td{width:4.5rem}
.facts div{flex-direction:column;gap:0}
.facts dt{flex:none}
}
`;
