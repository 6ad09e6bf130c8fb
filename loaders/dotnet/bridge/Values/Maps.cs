using System;
using System.Collections.Generic;

namespace Polyplug.Bridge
{
    /// <summary>Moves maps, as dictionaries of type <typeparamref name="D"/>.</summary>
    internal abstract unsafe class MapMarshaller<D, K, V> : Marshaller<D> where D : class
    {
        private Marshaller<K> key;
        private Marshaller<V> value;
        private Node node;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            key = (Marshaller<K>)all.Find(of.Other, typeof(K), use);
            value = (Marshaller<V>)all.Find(of.Of, typeof(V), use);
        }

        protected abstract IDictionary<K, V> Make(int count);

        protected abstract int Count(D map);

        protected abstract IEnumerable<KeyValuePair<K, V>> Entries(D map);

        internal override D Read(byte* at, Scope* scope)
        {
            int count = RawList.Check(at, node.Stride, node.StrideAlign);
            Scope.Enter(scope);
            IDictionary<K, V> map = Make(count);
            byte* entry = ((RawList*)at)->Start;
            int i = 0;
            string part = "key";
            try
            {
                for (; i < count; i++)
                {
                    part = "key";
                    K name = key.Read(entry, scope);
                    if (map.ContainsKey(name))
                    {
                        part = null;
                        throw new ValueException("the key " + Show(name) + " comes twice");
                    }
                    part = "value";
                    map.Add(name, value.Read(entry + node.At, scope));
                    entry += node.Stride;
                }
            }
            catch (ValueException wrong) when (Passes(wrong, part, i))
            {
                throw;
            }
            scope->Depth--;
            return (D)map;
        }

        internal override void Write(byte* at, D map, Scope* scope)
        {
            if (map == null)
            {
                throw ValueException.Null(node);
            }
            Scope.Enter(scope);
            int count = Count(map);
            byte* start = Arena.Allocate(scope->Arena, (long)count * node.Stride, node.StrideAlign);
            byte* entry = start;
            int i = 0;
            string part = "key";
            try
            {
                foreach (KeyValuePair<K, V> pair in Entries(map))
                {
                    if (i == count)
                    {
                        part = null;
                        throw new ValueException("the map grew while it was read");
                    }
                    part = "key";
                    key.Write(entry, pair.Key, scope);
                    part = "value";
                    value.Write(entry + node.At, pair.Value, scope);
                    entry += node.Stride;
                    i++;
                }
            }
            catch (ValueException wrong) when (Passes(wrong, part, i))
            {
                throw;
            }
            RawList.Set(at, start, i);
            scope->Depth--;
        }

        private static bool Passes(ValueException wrong, string part, int entry)
        {
            return (part != null && wrong.PassesThrough(part)) || wrong.PassesThrough(entry);
        }

        private static string Show(K name)
        {
            string text = Convert.ToString(name, System.Globalization.CultureInfo.InvariantCulture);
            return name is string ? "\"" + text + "\"" : text;
        }
    }

    internal sealed class DictionaryMarshaller<K, V> : MapMarshaller<Dictionary<K, V>, K, V>
    {
        protected override IDictionary<K, V> Make(int count)
        {
            return new Dictionary<K, V>(Math.Min(count, 4096));
        }

        protected override int Count(Dictionary<K, V> map)
        {
            return map.Count;
        }

        protected override IEnumerable<KeyValuePair<K, V>> Entries(Dictionary<K, V> map)
        {
            return map;
        }
    }

    internal sealed class SortedDictionaryMarshaller<K, V> : MapMarshaller<SortedDictionary<K, V>, K, V>
    {
        protected override IDictionary<K, V> Make(int count)
        {
            // The order of a culture holds some texts that differ for the same.
            return typeof(K) == typeof(string)
                ? (IDictionary<K, V>)(object)new SortedDictionary<string, V>(System.StringComparer.Ordinal)
                : new SortedDictionary<K, V>();
        }

        protected override int Count(SortedDictionary<K, V> map)
        {
            return map.Count;
        }

        protected override IEnumerable<KeyValuePair<K, V>> Entries(SortedDictionary<K, V> map)
        {
            return map;
        }
    }

    /// <summary>Moves maps as <see cref="IDictionary{K, V}"/> or <see cref="IReadOnlyDictionary{K, V}"/>.</summary>
    internal sealed class DictionaryInterfaceMarshaller<D, K, V> : MapMarshaller<D, K, V>
        where D : class, IEnumerable<KeyValuePair<K, V>>
    {
        protected override IDictionary<K, V> Make(int count)
        {
            return new Dictionary<K, V>(Math.Min(count, 4096));
        }

        protected override int Count(D map)
        {
            object any = map;
            return any is IReadOnlyDictionary<K, V> read ? read.Count : ((IDictionary<K, V>)any).Count;
        }

        protected override IEnumerable<KeyValuePair<K, V>> Entries(D map)
        {
            return map;
        }
    }
}
