using System;
using System.Runtime.InteropServices;

namespace Polyplug.Bridge
{
    /// <summary>A call that code of a bundle makes. Compiled code has it as a local variable.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Outgoing
    {
        /// <summary>The memory in which the loader keeps its own part of the call.</summary>
        private fixed long frame[8];

        /// <summary>What the conversion of values needs.</summary>
        internal Scope Scope;

        /// <summary>Begins a call.</summary>
        internal static void Begin(Outgoing* call)
        {
            call->Scope.Frame = (IntPtr)call->frame;
            call->Scope.Arena = HostFunctions.Enter(call->Scope.Frame);
            call->Scope.Depth = 0;
            call->Scope.Stage = Scope.Running;
        }

        /// <summary>Ends a call that was begun.</summary>
        internal static void End(Outgoing* call)
        {
            HostFunctions.Leave(call->Scope.Frame);
        }

        /// <summary>Calls the method, whose arguments are lowered.</summary>
        /// <exception cref="CallException">The call failed.</exception>
        internal static void Send(Outgoing* call, Remote remote, int method, byte* args, byte* result)
        {
            call->Scope.Depth = 0;
            var reply = default(Reply);
            int status = HostFunctions.Call(remote.Address, call->Scope.Frame, (uint)method, args, result, &reply);
            GC.KeepAlive(remote);
            call->Scope.Stage = Scope.Lowering;
            if (status != 0)
            {
                throw new CallException(Reply.Take(&reply));
            }
        }

        /// <summary>Throws the error that the method declares, if the callee has returned it.</summary>
        internal static void CheckDeclared(Outgoing* call, Remote remote, int method, byte* result)
        {
            uint tag = *(uint*)result;
            if (tag == 0)
            {
                return;
            }
            if (tag > 1)
            {
                throw ValueException.Tag("result", tag, 2);
            }
            RemoteMethod of = remote.Surface.Methods[method];
            DeclaredException error = of.Error.Read(result + of.Method.Result.At, &call->Scope);
            var reply = default(Reply);
            HostFunctions.Declared(remote.Address, (uint)method, result, &reply);
            error.Account = Reply.TakeText(&reply);
            throw error;
        }

        /// <summary>Throws the failure of a call whose argument or result does not have its type.</summary>
        internal static void Wrong(Outgoing* call, ValueException wrong, Remote remote, int method)
        {
            Method of = remote.Surface.Methods[method].Method;
            bool isResult = call->Scope.Stage == Scope.Lowering;
            if (!isResult && call->Scope.Stage >= 0)
            {
                wrong.Within(of.Arguments[call->Scope.Stage].Name);
            }
            else if (isResult)
            {
                wrong.Within("result");
            }
            byte[] value = Wire.Bytes(wrong.Encode);
            var reply = default(Reply);
            fixed (byte* start = value)
            {
                HostFunctions.WrongValue(
                    remote.Address, (uint)method, isResult ? 1u : 0u, start, (IntPtr)value.Length, &reply);
            }
            throw new CallException(Reply.Take(&reply));
        }
    }
}
