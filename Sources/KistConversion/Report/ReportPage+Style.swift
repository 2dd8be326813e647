extension ModelReport {
  static let styles = """
    nav{position:sticky;top:0;z-index:2;background:var(--paper);padding:.6rem 0;border-bottom:1px solid var(--line)}
    nav div{display:flex;flex-wrap:nowrap;gap:.2rem 1rem;margin-top:.4rem;overflow-x:auto;white-space:nowrap}a{color:var(--accent)}
    #search{width:min(26rem,100%)}#found{margin-left:.6rem}
    section{scroll-margin-top:6rem}section>h2{scroll-margin-top:6rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}
    tr.find:nth-child(even)>*{background:var(--panel)}td,th{padding:.25rem .9rem .25rem .3rem}
    .wrap{overflow-wrap:anywhere;white-space:pre-wrap}td code{display:inline-block;min-width:min(18rem,50vw);overflow-wrap:anywhere}
    td{white-space:nowrap}td code{white-space:normal}td.wrap,td .wrap{white-space:pre-wrap}
    [hidden]{display:none!important}
    .good::before{content:"✓ ";color:var(--third)}.bad::before{content:"✗ ";color:rgb(var(--heat))}.good,.bad{font-weight:600}
    .bar{display:inline-block;min-width:9rem;padding:0 .4rem;border-radius:.2rem;background:linear-gradient(to right,\
    color-mix(in srgb,var(--accent) 28%,transparent) calc(var(--part)*100%),transparent 0)}
    .controls label{margin-right:1rem;display:inline-block}
    .treemap{position:relative;width:100%;height:clamp(22rem,52vw,40rem);margin:.8rem 0;background:var(--panel)}
    .area{position:absolute;overflow:hidden;border:1px solid var(--paper);container-type:size}
    .area:focus{z-index:1;outline:2px solid var(--accent)}#shown{min-height:3em;margin:.4rem 0;overflow-wrap:anywhere}
    .area i{position:absolute;border:1px solid var(--paper);opacity:.5}.area i:hover{opacity:.85}
    .area b,.area small{position:relative;display:block;padding:.05rem .3rem;font-size:.72rem;line-height:1.2;\
    overflow:hidden;text-overflow:ellipsis;white-space:nowrap;pointer-events:none}.area b{padding-top:.2rem}
    @container (max-width:5.5rem){.area b span,.area small{display:none}}@container (max-height:1.1rem){.area b{display:none}}
    .attention{background:var(--accent)}.feed{background:rgb(var(--heat))}.embedding{background:var(--third)}.other{background:var(--second)}
    main:not(:has([value=bytes]:checked)) #map-bytes,main:has([value=bytes]:checked) #map-parameters{display:none}
    .legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}.swatch{display:inline-block;width:.8em;height:.8em;margin-right:.4em;\
    border-radius:.15em;opacity:.6}
    .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(17rem,100%),1fr));gap:1rem}
    figure{margin:0;padding:.7rem;border:1px solid var(--line);border-radius:.5rem;font-size:.85rem}
    figure svg{display:block;width:100%;height:auto;margin:.5rem 0 .1rem;border-bottom:1px solid var(--line)}
    figure .mark{fill:var(--accent)}figcaption{overflow-wrap:anywhere}.ends{display:flex;justify-content:space-between}
    .card{max-width:46rem}pre{background:var(--panel);padding:.7rem;border-radius:.4rem}footer{margin-top:3rem}
    """

  static let code = """
    'use strict';
    const search = document.getElementById('search'), found = document.getElementById('found');
    const items = [...document.querySelectorAll('.find')].map(node => [node, node.textContent.toLowerCase()]);
    search.oninput = () => {
      const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
      let count = 0;
      for (const [node, text] of items) {
        node.hidden = !words.every(word => text.includes(word));
        if (!node.hidden) count++;
      }
      if (words.length) document.querySelectorAll('details').forEach(part => part.open = true);
      for (const part of document.querySelectorAll('section')) {
        const own = part.querySelectorAll('.find');
        part.hidden = words.length > 0 && ![...own].some(node => !node.hidden);
      }
      found.textContent = words.length ? count + ' found' : '';
    };
    const shown = document.getElementById('shown');
    for (const area of document.querySelectorAll('.area')) {
      const parts = [...area.querySelectorAll('i')].map(part => part.title);
      const own = title => title.slice(title.indexOf(': ') + 2);
      area.onfocus = () => shown.textContent = area.getAttribute('aria-label') + ' · ' + parts.map(own).join(' · ');
      area.onpointerover = event => shown.textContent = event.target.title || area.getAttribute('aria-label');
    }
    document.addEventListener('keydown', event => {
      if (event.key === '/' && document.activeElement !== search) { event.preventDefault(); search.focus(); }
      if (event.key === 'Escape' && document.activeElement === search) { search.value = ''; search.oninput(); }
    });
    """
}
