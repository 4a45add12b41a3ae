// ---------------------------------------------------------------- mounting.js
// What a component exports. Streamlit calls it again with each new data, and calls only the last returned function when
// the component goes, or at once where a call was overtaken by the next (BidiComponent in its frontend, 1.67).

// `Kind` is made once for each place on the page, with the place; then `show(data)` is called with each data, and `destroy()`
// at the end. `calls` tells it whether it was called again, `send` and `report` take something to the server.
export function mounting(Kind) {
  const mounted = new WeakMap();
  return ({ parentElement, data, setTriggerValue, setStateValue }) => {
    let one = mounted.get(parentElement);
    if (!one) mounted.set(parentElement, (one = Object.assign(new Kind(parentElement), { calls: 0 })));
    const call = ++one.calls;
    Object.assign(one, { send: setTriggerValue, report: setStateValue });
    one.show(data);
    return () => {
      if (one.calls !== call) return;
      one.calls++;
      one.destroy();
      mounted.delete(parentElement);
    };
  };
}
