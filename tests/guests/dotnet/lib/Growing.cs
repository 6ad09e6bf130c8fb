// What the plugins of all versions of `test.growing` share. Texts are as those of plugins in Rust.
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Polyplug;

namespace Growing
{
    public interface IWatcher<TItem, TColour>
    {
        TItem See(TItem item);

        TColour Colour();

        string Hand(IWatcher<TItem, TColour> again);

        int Add(int a, int b);
    }

    // Another side that implements the contract.
    public interface IOther<TItem, TColour>
    {
        string Show(TItem item);

        List<TItem> Echo(IEnumerable<TItem> items);

        TColour NewestColour();
    }

    public static class Text
    {
        public static string Of(string text) => "\"" + text + "\"";

        public static string Of(double number)
        {
            string text = number.ToString(CultureInfo.InvariantCulture);
            return text.Contains(".") ? text : text + ".0";
        }

        public static string Of<T>(IEnumerable<T> items) =>
            "[" + string.Join(", ", items.Select(item => item is string text ? Of(text) : item.ToString())) + "]";

        public static string Maybe(object value) =>
            value == null ? "None" : "Some(" + (value is string text ? Of(text) : value.ToString()) + ")";
    }

    // The methods of version 1.0.
    public abstract class Base<TItem, TTree, TMood, TColour, TShape, TTrouble> where TItem : class
    {
        private IWatcher<TItem, TColour> kept;

        protected abstract TItem Item(ulong id);

        protected abstract TTrouble Trouble();

        public abstract TMood NewestMood();

        public abstract TColour NewestColour();

        public abstract TShape NewestShape();

        public string Show(TItem item) => item.ToString();

        public TItem Make(ulong id) => Item(id);

        public List<TItem> Echo(List<TItem> items) => items;

        public Dictionary<string, TItem> Nested(Dictionary<string, TItem> items, (byte, TItem) pair)
        {
            items.Add(pair.Item1.ToString(), pair.Item2);
            return items;
        }

        public string ShowTree(TTree tree) => tree.ToString();

        public TTree EchoTree(TTree tree) => tree;

        public string ShowMood(TMood mood) => mood.ToString();

        public string ShowColour(TColour colour) => colour.ToString();

        public string ShowShape(TShape shape) => shape.ToString();

        public TItem Fail(bool fine) => fine ? Item(1) : throw new DeclaredException<TTrouble>(Trouble());

        public int Add(int a, int b) => unchecked(a + b);

        public string ShowToHost(TItem item)
        {
            try
            {
                return Host.Get<IOther<TItem, TColour>>("test.growing@1.0").Show(item);
            }
            catch (CallException failure)
            {
                throw new DeclaredException<string>(failure.Message);
            }
        }

        public (List<TItem>, TColour) Ask(bool host, List<TItem> items)
        {
            try
            {
                IOther<TItem, TColour> other = host
                    ? Host.Get<IOther<TItem, TColour>>("test.growing@1.0")
                    : Peer.Get<IOther<TItem, TColour>>("test.growing@1.0");
                return (other.Echo(items), other.NewestColour());
            }
            catch (CallException failure)
            {
                throw new DeclaredException<string>(failure.Message);
            }
        }

        public (string, string, int) Watch(IWatcher<TItem, TColour> watcher)
        {
            TItem back = watcher.See(Item(5));
            return (back.ToString(), watcher.Hand(new Seer(this)), watcher.Add(20, 3));
        }

        public TColour WatchedColour(IWatcher<TItem, TColour> watcher) => watcher.Colour();

        public void Keep(IWatcher<TItem, TColour> watcher)
        {
            kept = watcher;
        }

        public TItem Kept(TItem item) => kept.See(item);

        public (TItem, (string, string, int)) Relay(
            TItem item, IWatcher<TItem, TColour> watcher, IWatcher<TItem, TColour> lent) => (watcher.See(item), Watch(lent));

        // The plugin's own object.
        private sealed class Seer : IWatcher<TItem, TColour>
        {
            private readonly Base<TItem, TTree, TMood, TColour, TShape, TTrouble> plugin;

            internal Seer(Base<TItem, TTree, TMood, TColour, TShape, TTrouble> plugin)
            {
                this.plugin = plugin;
            }

            public TItem See(TItem item) => item;

            public TColour Colour() => plugin.NewestColour();

            public string Hand(IWatcher<TItem, TColour> again) => again.See(plugin.Item(6)).ToString();

            public int Add(int a, int b) => unchecked(a + b);
        }
    }
}
