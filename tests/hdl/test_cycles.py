from hdl import cycles


def test_the_table_sets_what_was_counted_beside_the_bridge() -> None:
    spacing = {str(size): 4 * row for row, size in enumerate(cycles.BRIDGE_SPACING[512], start=1)}
    found = {"latency": dict.fromkeys(spacing, 7), "spacing": spacing, "up": 18, "down": 11}
    lines = list(cycles.table({512: found}))
    assert lines[0] == "512 bit, 322.266 MHz (one cycle 3.103 ns)"
    assert "| last beat in to frame out, with crossing | 18 | 23 / 22 |" in lines
    assert "| between windows of 64 B, saturated | 4 | 48, 12.0 times as long |" in lines
    assert len(lines) == 4 + 4 + len(spacing)
