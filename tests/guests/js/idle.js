// Declares no plugin.
import "polyplug";
