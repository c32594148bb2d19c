setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (e) => setTheme(e.matches ? 'dark' : 'light'));
addEventListener('resize', redraw);
let themeBefore = null;
addEventListener('beforeprint', () => { themeBefore = root.dataset.theme; root.dataset.theme = 'light'; readLook(); painters.forEach((p) => p()); charts.forEach((c) => c.draw()); });
addEventListener('afterprint', () => { if (themeBefore) setTheme(themeBefore); });
root.dataset.ready = 'yes';
