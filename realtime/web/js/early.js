/* Before the first paint: the reader's theme and rows, so that nothing flashes. (A classic script: modules wait.) */
for (const name of ["theme", "density"]) {
  const wanted = localStorage.getItem(`portalwire.${name}`);
  if (wanted) document.documentElement.dataset[name] = JSON.parse(wanted);
}
