using System;

namespace Polyplug.Bridge
{
    /// <summary>Moves the values of an option whose value is a <typeparamref name="V"/>, as values of type <typeparamref name="T"/>.</summary>
    internal abstract unsafe class OptionMarshaller<T, V> : Marshaller<T>
    {
        private Marshaller<V> inner;
        private Node node;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            inner = (Marshaller<V>)all.Find(of.Of, typeof(V), use);
        }

        protected abstract T None { get; }

        protected abstract T Some(V value);

        /// <summary>Returns whether there is a value, and the value.</summary>
        protected abstract bool Has(T option, out V value);

        internal override T Read(byte* at, Scope* scope)
        {
            if (node.Kind == NodeKind.Nullable)
            {
                return *(byte**)at == null ? None : Some(Boxes.Read(inner, node.Of, at, scope));
            }
            switch (*at)
            {
                case 0: return None;
                case 1: return Some(inner.Read(at + node.At, scope));
                default: throw ValueException.Tag("option", *at, 2);
            }
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            if (!Has(value, out V found))
            {
                new Span<byte>(at, node.Size).Clear();
            }
            else if (node.Kind == NodeKind.Nullable)
            {
                Boxes.Write(inner, node.Of, at, found, scope);
            }
            else
            {
                *at = 1;
                inner.Write(at + node.At, found, scope);
            }
        }
    }

    internal sealed class NullableMarshaller<V> : OptionMarshaller<V?, V> where V : struct
    {
        protected override V? None
        {
            get { return null; }
        }

        protected override V? Some(V value)
        {
            return value;
        }

        protected override bool Has(V? option, out V value)
        {
            value = option.GetValueOrDefault();
            return option.HasValue;
        }
    }

    internal sealed class ReferenceMarshaller<V> : OptionMarshaller<V, V> where V : class
    {
        protected override V None
        {
            get { return null; }
        }

        protected override V Some(V value)
        {
            return value;
        }

        protected override bool Has(V option, out V value)
        {
            value = option;
            return option != null;
        }
    }

    internal sealed class OptionStructMarshaller<V> : OptionMarshaller<Option<V>, V>
    {
        protected override Option<V> None
        {
            get { return Option<V>.None; }
        }

        protected override Option<V> Some(V value)
        {
            return new Option<V>(value);
        }

        protected override bool Has(Option<V> option, out V value)
        {
            value = option.HasValue ? option.Value : default(V);
            return option.HasValue;
        }
    }

    /// <summary>Values behind a pointer.</summary>
    internal static unsafe class Boxes
    {
        internal static T Read<T>(Marshaller<T> inner, Node node, byte* at, Scope* scope)
        {
            byte* start = *(byte**)at;
            if (start == null || (ulong)start % (ulong)node.Align != 0)
            {
                throw ValueException.Pointer("box");
            }
            Scope.Enter(scope);
            T value = inner.Read(start, scope);
            scope->Depth--;
            return value;
        }

        internal static void Write<T>(Marshaller<T> inner, Node node, byte* at, T value, Scope* scope)
        {
            Scope.Enter(scope);
            byte* start = Arena.Allocate(scope->Arena, Math.Max(node.Size, 1), node.Align);
            inner.Write(start, value, scope);
            *(byte**)at = start;
            scope->Depth--;
        }
    }

    internal sealed unsafe class BoxMarshaller<T> : Marshaller<T>
    {
        private Marshaller<T> inner;
        private Node node;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of.Of;
            inner = (Marshaller<T>)all.Find(of.Of, typeof(T), use);
        }

        internal override T Read(byte* at, Scope* scope)
        {
            return Boxes.Read(inner, node, at, scope);
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            Boxes.Write(inner, node, at, value, scope);
        }
    }

    internal sealed unsafe class ResultMarshaller<T, E> : Marshaller<Result<T, E>>
    {
        private Marshaller<T> value;
        private Marshaller<E> error;
        private int at;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            at = of.At;
            value = (Marshaller<T>)all.Find(of.Of, typeof(T), use);
            error = (Marshaller<E>)all.Find(of.Other, typeof(E), use);
        }

        internal override Result<T, E> Read(byte* from, Scope* scope)
        {
            uint tag = *(uint*)from;
            try
            {
                switch (tag)
                {
                    case 0: return Result<T, E>.Ok(value.Read(from + at, scope));
                    case 1: return Result<T, E>.Err(error.Read(from + at, scope));
                }
            }
            catch (ValueException wrong) when (wrong.PassesThrough(tag == 0 ? "ok" : "err"))
            {
                throw;
            }
            throw ValueException.Tag("result", tag, 2);
        }

        internal override void Write(byte* to, Result<T, E> result, Scope* scope)
        {
            *(uint*)to = result.IsOk ? 0u : 1u;
            try
            {
                if (result.IsOk)
                {
                    value.Write(to + at, result.Value, scope);
                }
                else
                {
                    error.Write(to + at, result.Error, scope);
                }
            }
            catch (ValueException wrong) when (wrong.PassesThrough(result.IsOk ? "ok" : "err"))
            {
                throw;
            }
        }
    }
}
