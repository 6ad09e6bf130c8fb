using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Polyplug.Bridge
{
    /// <summary>The functions that the loader calls, in the order of the loader's own table.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BridgeTable
    {
        public IntPtr Load;
        public IntPtr Prepare;
        public IntPtr Create;
        public IntPtr End;
        public IntPtr CallObject;
        public IntPtr Save;
        public IntPtr Restore;
        public IntPtr Run;
        public IntPtr Free;
        public IntPtr Unload;
        public IntPtr IsGone;
        public IntPtr Remains;
        public IntPtr Place;
        public IntPtr ObjectPlace;
    }

    /// <summary>What the loader passes to <see cref="Entry.Init"/>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct InitArguments
    {
        public HostTable* Host;
        public BridgeTable* Bridge;
    }

    /// <summary>The functions that the loader finds by name, and those that it gets from them.</summary>
    internal static unsafe class Entry
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr LoadFunction(IntPtr bundle, byte* request, IntPtr count, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr PrepareFunction(
            IntPtr bundle, uint plugin, IntPtr contract, IntPtr* entries, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr CreateFunction(IntPtr code, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void EndFunction(IntPtr code, IntPtr instance);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int CallObjectFunction(
            IntPtr target, uint method, byte* args, byte* result, Arena* arena, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int SaveFunction(IntPtr code, IntPtr instance, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr RestoreFunction(
            IntPtr code, byte* state, IntPtr count, int major, int minor, int patch, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int RunFunction(IntPtr action, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void HandleFunction(IntPtr handle);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr UnloadFunction(IntPtr bundle);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int IsGoneFunction(IntPtr context);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void TextFunction(IntPtr handle, IntPtr sink);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void PlaceFunction(IntPtr handle, uint method, IntPtr sink);

        /// <summary>The delegates whose addresses the loader has: they live as long as the process.</summary>
        private static readonly List<Delegate> Roots = new List<Delegate>();

        private static volatile string nothing = null;

        /// <summary>Exchanges the functions of both sides. Returns 0.</summary>
        public static int Init(IntPtr arguments, int size)
        {
            if (size != sizeof(InitArguments))
            {
                return 1;
            }
            var init = (InitArguments*)arguments;
            HostFunctions.Set(init->Host);
            BridgeTable* table = init->Bridge;
            table->Load = Address<LoadFunction>(Load);
            table->Prepare = Address<PrepareFunction>(Prepare);
            table->Create = Address<CreateFunction>(Create);
            table->End = Address<EndFunction>(End);
            table->CallObject = Address<CallObjectFunction>(CallObject);
            table->Save = Address<SaveFunction>(Save);
            table->Restore = Address<RestoreFunction>(Restore);
            table->Run = Address<RunFunction>(Run);
            table->Free = Address<HandleFunction>(Free);
            table->Unload = Address<UnloadFunction>(Unload);
            table->IsGone = Address<IsGoneFunction>(IsGone);
            table->Remains = Address<TextFunction>(Remains);
            table->Place = Address<PlaceFunction>(Place);
            table->ObjectPlace = Address<PlaceFunction>(ObjectPlace);
            Output.Replace();
            return 0;
        }

        /// <summary>Throws and catches what a null reference raises, for tests of the loader. Returns 42.</summary>
        public static int Probe(IntPtr arguments, int size)
        {
            try
            {
                return nothing.Length;
            }
            catch (NullReferenceException)
            {
                return 42;
            }
        }

        private static IntPtr Address<T>(T function) where T : class
        {
            var root = (Delegate)(object)function;
            Roots.Add(root);
            return Marshal.GetFunctionPointerForDelegate(root);
        }

        private static T Target<T>(IntPtr handle) where T : class
        {
            return (T)GCHandle.FromIntPtr(handle).Target;
        }

        private static IntPtr Handle(object target)
        {
            return GCHandle.ToIntPtr(GCHandle.Alloc(target));
        }

        private static IntPtr Load(IntPtr address, byte* request, IntPtr count, IntPtr sink)
        {
            Bundle bundle = null;
            try
            {
                bundle = new Bundle(address, LoadRequest.Read(Wire.Reader(request, (long)count)));
                Wire.Send(sink, writer => WritePlugins(writer, bundle));
                return Handle(bundle);
            }
            catch (Exception failure)
            {
                Faults.Send(sink, failure, bundle);
                return IntPtr.Zero;
            }
        }

        private static void WritePlugins(BinaryWriter writer, Bundle bundle)
        {
            writer.Write(bundle.Plugins.Count);
            foreach (PluginDeclaration declared in bundle.Plugins)
            {
                Type type = declared.Type;
                PluginAttribute plugin = declared.Attribute;
                Wire.Text(writer, plugin.Contract ?? "");
                Wire.OptionalText(writer, plugin.Name);
                writer.Write(plugin.Singleton);
                writer.Write(plugin.Stateless);
                writer.Write(typeof(IMigrate).IsAssignableFrom(type));
                Wire.Text(writer, TypeNames.Of(type));
                WriteNames(writer, MethodBinding.MethodsOf(type).Select(MethodBinding.NameOf));
                WriteNames(writer, MethodBinding.HiddenOf(type));
            }
        }

        private static void WriteNames(BinaryWriter writer, IEnumerable<string> names)
        {
            string[] all = names.Distinct().ToArray();
            writer.Write(all.Length);
            foreach (string name in all)
            {
                Wire.Text(writer, name);
            }
        }

        private static IntPtr Prepare(IntPtr bundle, uint plugin, IntPtr contract, IntPtr* entries, IntPtr sink)
        {
            Bundle of = null;
            try
            {
                of = Target<Bundle>(bundle);
                PluginCode code = Bound(of, of.Plugins[(int)plugin].Type, of.ContractAt(contract));
                for (int i = 0; i < code.Entries.Length; i++)
                {
                    code.Entries[i].PutAddress(entries + i);
                }
                return Handle(code);
            }
            catch (Exception failure)
            {
                Faults.Send(sink, failure, of);
                return IntPtr.Zero;
            }
        }

        /// <exception cref="MismatchException">The class differs from the contract, which the message names.</exception>
        private static PluginCode Bound(Bundle bundle, Type type, Contract contract)
        {
            try
            {
                return new PluginCode(bundle, type, contract);
            }
            catch (MismatchException wrong)
            {
                throw new MismatchException(contract.Name + "@" + contract.Major + ": " + wrong.Message);
            }
        }

        private static IntPtr Create(IntPtr code, IntPtr sink)
        {
            PluginCode of = Target<PluginCode>(code);
            try
            {
                return Handle(of.Create());
            }
            catch (Exception failure)
            {
                Faults.Send(sink, failure, of.Bundle);
                return IntPtr.Zero;
            }
        }

        private static void End(IntPtr code, IntPtr instance)
        {
            object ended = Target<object>(instance);
            Free(instance);
            Target<PluginCode>(code).End(ended);
        }

        private static int CallObject(IntPtr target, uint method, byte* args, byte* result, Arena* arena, IntPtr sink)
        {
            var of = Target<Offered>(target);
            return of.Entries[method].Run(of.Target, args, result, arena, sink);
        }

        private static int Save(IntPtr code, IntPtr instance, IntPtr sink)
        {
            try
            {
                byte[] state = Target<IMigrate>(instance).Save()
                    ?? throw new BundleException("`Save` returned null, where an array of bytes was expected");
                Wire.Send(sink, state);
                return 0;
            }
            catch (Exception failure)
            {
                return Faults.Send(sink, failure, Target<PluginCode>(code).Bundle);
            }
        }

        private static IntPtr Restore(
            IntPtr code, byte* state, IntPtr count, int major, int minor, int patch, IntPtr sink)
        {
            PluginCode of = Target<PluginCode>(code);
            try
            {
                byte[] bytes = new ReadOnlySpan<byte>(state, (int)count).ToArray();
                return Handle(of.Restore(bytes, new Version(major, minor, patch)));
            }
            catch (Exception failure)
            {
                Faults.Send(sink, failure, of.Bundle);
                return IntPtr.Zero;
            }
        }

        private static int Run(IntPtr action, IntPtr sink)
        {
            try
            {
                Target<Action>(action)();
                return 0;
            }
            catch (Exception failure)
            {
                return Faults.Send(sink, failure, null);
            }
        }

        private static void Free(IntPtr handle)
        {
            GCHandle.FromIntPtr(handle).Free();
        }

        private static IntPtr Unload(IntPtr bundle)
        {
            WeakReference context = Target<Bundle>(bundle).End();
            Free(bundle);
            return Handle(context);
        }

        private static int IsGone(IntPtr context)
        {
            var weak = Target<WeakReference>(context);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return weak.IsAlive ? 0 : 1;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Remains(IntPtr context, IntPtr sink)
        {
            Wire.Send(sink, writer => Wire.Text(writer, Leftovers.Describe(Target<WeakReference>(context))));
        }

        private static void Place(IntPtr code, uint method, IntPtr sink)
        {
            PluginCode of = Target<PluginCode>(code);
            SendPlace(of.Entries[method].Target, of.Bundle, sink);
        }

        private static void ObjectPlace(IntPtr target, uint method, IntPtr sink)
        {
            Offered of = Target<Offered>(target);
            SendPlace(of.Implementation((int)method), Bundle.Find(of.Target.GetType().Assembly), sink);
        }

        private static void SendPlace(System.Reflection.MethodInfo method, Bundle bundle, IntPtr sink)
        {
            string place = bundle == null ? null : Faults.PlaceOf(method, bundle);
            if (place != null)
            {
                Wire.Send(sink, writer => Wire.Text(writer, place));
            }
        }
    }
}
