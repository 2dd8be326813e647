extension AttentionMaps {
  /// Draws the page; plain JavaScript.
  static let code = """
    'use strict';
    const data = JSON.parse(document.getElementById('data').textContent);
    const {labels, layers, heads} = data, n = labels.length;
    const bytes = Uint8Array.from(atob(data.weights), c => c.charCodeAt(0));
    const weights = new Uint16Array(bytes.buffer);
    const at = id => document.getElementById(id);
    const state = {layer: 0, head: 0, row: n - 1, column: 0};
    const cellsOf = (layer, head) => {
      const start = (layer * heads + head) * n * n;
      return weights.subarray(start, start + n * n);
    };
    const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const shown = i => labels[i].replace(/\\n/g, '⏎').replace(/ /g, '\\u2423') || '∅';
    // Small weights are to be seen too.
    const strength = w => Math.sqrt(w / 65535);

    function draw(canvas, cells, size, left, top) {
      const ratio = window.devicePixelRatio || 1, g = canvas.getContext('2d');
      const width = left + n * size, height = top + n * size;
      canvas.width = width * ratio; canvas.height = height * ratio;
      canvas.style.width = width + 'px'; canvas.style.height = height + 'px';
      g.scale(ratio, ratio);
      const heat = color('--heat');
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
        const w = cells[i * n + j];
        if (!w) continue;
        g.fillStyle = `rgba(${heat},${strength(w)})`;
        g.fillRect(left + j * size, top + i * size, size, size);
      }
      return g;
    }

    function drawMap() {
      const size = Math.max(8, Math.min(28, Math.floor(900 / n)));
      const g0 = at('map').getContext('2d');
      g0.font = '13px system-ui, sans-serif';
      const longest = Math.min(150, 14 + Math.max(...labels.map((_, i) => g0.measureText(shown(i)).width)));
      const cells = cellsOf(state.layer, state.head);
      const g = draw(at('map'), cells, size, longest, longest);
      g.font = Math.min(13, size + 1) + 'px system-ui, sans-serif';
      g.textBaseline = 'middle';
      for (let i = 0; i < n; i++) {
        g.fillStyle = color(i === state.row ? '--accent' : '--ink');
        g.textAlign = 'right';
        g.fillText(shown(i), longest - 6, longest + (i + .5) * size, longest - 8);
        g.save();
        g.translate(longest + (i + .5) * size, longest - 6);
        g.rotate(-Math.PI / 2);
        g.textAlign = 'left';
        g.fillStyle = color(i === state.column ? '--accent' : '--ink');
        g.fillText(shown(i), 0, 0, longest - 8);
        g.restore();
      }
      g.strokeStyle = color('--line');
      g.strokeRect(longest, longest, n * size, n * size);
      g.strokeStyle = color('--accent');
      g.lineWidth = 2;
      g.strokeRect(longest + state.column * size, longest + state.row * size, size, size);
      at('map').dataset.origin = longest; at('map').dataset.size = size;
    }

    function drawSentence() {
      const cells = cellsOf(state.layer, state.head), heat = color('--heat');
      [...at('sentence').children].forEach((chip, i) => {
        chip.style.background = `rgba(${heat},${strength(cells[state.row * n + i]) * .6})`;
        chip.setAttribute('aria-selected', i === state.row);
        if (i === state.row) at('sentence').setAttribute('aria-activedescendant', chip.id);
      });
      const percent = w => (w / 655.35).toFixed(1) + ' %';
      at('says').textContent = `Layer ${layers[state.layer]}, head ${state.head}: “${shown(state.row)}” looks at ` +
        `“${shown(state.column)}” with ${percent(cells[state.row * n + state.column])}`;
    }

    function update() {
      at('layer').value = state.layer; at('head').value = state.head;
      document.querySelectorAll('.layer button').forEach(b =>
        b.setAttribute('aria-pressed', +b.dataset.layer === state.layer && +b.dataset.head === state.head));
      drawSentence(); drawMap();
    }

    function choose(row) {
      state.row = Math.max(0, Math.min(n - 1, row));
      const cells = cellsOf(state.layer, state.head).subarray(state.row * n, state.row * n + n);
      state.column = cells.indexOf(Math.max(...cells));
      update();
    }

    layers.forEach((name, i) => at('layer').add(new Option(name, i)));
    for (let i = 0; i < heads; i++) at('head').add(new Option(i, i));
    at('layer').onchange = e => { state.layer = +e.target.value; choose(state.row); };
    at('head').onchange = e => { state.head = +e.target.value; choose(state.row); };

    labels.forEach((_, i) => {
      const chip = document.createElement('span');
      chip.textContent = shown(i);
      chip.id = 'token' + i;
      chip.setAttribute('role', 'option');
      chip.onclick = () => choose(i);
      at('sentence').append(chip);
    });
    at('sentence').onkeydown = e => {
      const step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[e.key];
      if (step) { e.preventDefault(); choose(state.row + step); }
    };
    at('map').onkeydown = e => {
      const step = {ArrowLeft: [0, -1], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowDown: [1, 0]}[e.key];
      if (!step) return;
      e.preventDefault();
      state.row = Math.max(0, Math.min(n - 1, state.row + step[0]));
      state.column = Math.max(0, Math.min(n - 1, state.column + step[1]));
      update();
    };
    at('map').onclick = e => {
      const {origin, size} = at('map').dataset, place = v => Math.floor((v - origin) / size);
      const [column, row] = [place(e.offsetX), place(e.offsetY)];
      if (row < 0 || row >= n) return;
      state.row = row;
      if (column >= 0 && column < n) state.column = column;
      update();
    };

    function drawAll() {
      at('all').textContent = '';
      const size = Math.max(1, Math.min(6, Math.floor(84 / n)));
      layers.forEach((name, layer) => {
        const line = document.createElement('div'), title = document.createElement('span');
        const list = document.createElement('div');
        line.className = 'layer'; title.textContent = 'Layer ' + name;
        for (let head = 0; head < heads; head++) {
          const button = document.createElement('button'), canvas = document.createElement('canvas');
          button.title = `Layer ${name}, head ${head}`;
          button.setAttribute('aria-label', button.title);
          button.dataset.layer = layer; button.dataset.head = head;
          draw(canvas, cellsOf(layer, head), size, 0, 0);
          button.append(canvas);
          button.onclick = () => { Object.assign(state, {layer, head}); choose(state.row); };
          list.append(button);
        }
        line.append(title, list); at('all').append(line);
      });
    }
    drawAll(); choose(n - 1);
    matchMedia('(prefers-color-scheme: dark)').onchange = () => { drawAll(); update(); };
    """
}
