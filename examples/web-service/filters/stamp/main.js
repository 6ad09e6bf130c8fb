// Says in each answer which version of this filter has seen the request.
import { plugin, types } from "polyplug";

const { Verdict } = types("web.filter@1");

const Stamp = {
  check(head) {
    return Verdict.AddHeaders([{ name: "x-filtered-by", value: "stamp 1" }]);
  },
};

plugin("web.filter@1", Stamp, { stateless: true });
