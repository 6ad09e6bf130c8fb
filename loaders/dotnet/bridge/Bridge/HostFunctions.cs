using System;
using System.Runtime.InteropServices;

namespace Polyplug.Bridge
{
    /// <summary>Functions of the loader, as it passes them to <see cref="Entry"/>. The order is that of the loader's own table.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct HostTable
    {
        public IntPtr Append;
        public IntPtr Grow;
        public IntPtr Log;
        public IntPtr Open;
        public IntPtr Describe;
        public IntPtr Import;
        public IntPtr Offer;
        public IntPtr Share;
        public IntPtr Release;
        public IntPtr Enter;
        public IntPtr Leave;
        public IntPtr Call;
        public IntPtr WrongValue;
        public IntPtr Declared;
        public IntPtr DropError;
        public IntPtr OnUnload;
        public IntPtr DataDirectory;
        public IntPtr Free;
        public IntPtr Close;
        public IntPtr DropBundle;
        public IntPtr PlaceDefault;
    }

    /// <summary>The loader's functions as delegates. </summary>
    internal static unsafe class HostFunctions
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void AppendFunction(IntPtr sink, byte* bytes, IntPtr count);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate byte* GrowFunction(Arena* arena, IntPtr size, IntPtr align);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void LogFunction(IntPtr bundle, uint level, byte* text, IntPtr count);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate IntPtr OpenFunction(
            IntPtr bundle, uint target, byte* name, IntPtr count, IntPtr* contract, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void DescribeFunction(IntPtr contract, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate IntPtr ImportFunction(IntPtr bundle, IntPtr contract, uint definition, byte* form, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int OfferFunction(
            IntPtr bundle, IntPtr contract, uint definition, IntPtr target, byte* form, IntPtr frame, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int ShareFunction(IntPtr bundle, IntPtr imported, byte* form, IntPtr frame, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void PointerFunction(IntPtr pointer);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate Arena* EnterFunction(IntPtr frame);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int CallFunction(IntPtr imported, IntPtr frame, uint method, byte* args, byte* result, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void WrongValueFunction(
            IntPtr imported, uint method, uint isResult, byte* value, IntPtr count, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void DeclaredFunction(IntPtr imported, uint method, byte* result, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int OnUnloadFunction(IntPtr bundle, IntPtr action, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int DataDirectoryFunction(IntPtr bundle, Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void FreeFunction(Reply* reply);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int PlaceDefaultFunction(
            IntPtr contract, uint node, uint number, uint field, byte* at, Arena* arena);

        internal static AppendFunction Append;
        internal static GrowFunction Grow;
        internal static LogFunction Log;
        internal static OpenFunction Open;
        internal static DescribeFunction Describe;
        internal static ImportFunction Import;
        internal static OfferFunction Offer;
        internal static ShareFunction Share;
        internal static PointerFunction Release;
        internal static EnterFunction Enter;
        internal static PointerFunction Leave;
        internal static CallFunction Call;
        internal static WrongValueFunction WrongValue;
        internal static DeclaredFunction Declared;
        internal static PointerFunction DropError;
        internal static OnUnloadFunction OnUnload;
        internal static DataDirectoryFunction DataDirectory;
        internal static FreeFunction Free;
        internal static PointerFunction Close;
        internal static PointerFunction DropBundle;
        internal static PlaceDefaultFunction PlaceDefault;

        internal static void Set(HostTable* table)
        {
            Append = Function<AppendFunction>(table->Append);
            Grow = Function<GrowFunction>(table->Grow);
            Log = Function<LogFunction>(table->Log);
            Open = Function<OpenFunction>(table->Open);
            Describe = Function<DescribeFunction>(table->Describe);
            Import = Function<ImportFunction>(table->Import);
            Offer = Function<OfferFunction>(table->Offer);
            Share = Function<ShareFunction>(table->Share);
            Release = Function<PointerFunction>(table->Release);
            Enter = Function<EnterFunction>(table->Enter);
            Leave = Function<PointerFunction>(table->Leave);
            Call = Function<CallFunction>(table->Call);
            WrongValue = Function<WrongValueFunction>(table->WrongValue);
            Declared = Function<DeclaredFunction>(table->Declared);
            DropError = Function<PointerFunction>(table->DropError);
            OnUnload = Function<OnUnloadFunction>(table->OnUnload);
            DataDirectory = Function<DataDirectoryFunction>(table->DataDirectory);
            Free = Function<FreeFunction>(table->Free);
            Close = Function<PointerFunction>(table->Close);
            DropBundle = Function<PointerFunction>(table->DropBundle);
            PlaceDefault = Function<PlaceDefaultFunction>(table->PlaceDefault);
        }

        private static T Function<T>(IntPtr address)
        {
            return Marshal.GetDelegateForFunctionPointer<T>(address);
        }
    }
}
