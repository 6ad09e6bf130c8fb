// Bundle `report`: makes a page in HTML of what was counted in a run. Its settings are in the manifest, under
// `[config]`.

import { log, plugin, types } from "polyplug";
import { read } from "./settings.js";
import { page } from "./report.js";

const { RenderError } = types("pipeline.renderer@1");

class Report {
  constructor(context) {
    this.settings = read(context.config);
  }

  render(summary) {
    if (summary.traffic && summary.traffic.step < 1n) {
      throw new RenderError(RenderError.Invalid({ field: "traffic.step", reason: "is below a second" }));
    }
    const text = page(summary, this.settings);
    log.debug(`a report of ${summary.requests} requests`);
    return text;
  }
}

plugin("pipeline.renderer@1", Report);
