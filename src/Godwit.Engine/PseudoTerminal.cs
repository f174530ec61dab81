using System.Runtime.InteropServices;
using System.Text;

namespace Godwit.Engine;

/// <summary>
/// A terminal that nobody sits at. ClickHouse's interactive mode needs one, and only that mode survives a malformed HTTP request.
/// </summary>
internal sealed unsafe class PseudoTerminal
{
    private readonly int _master;

    private PseudoTerminal(int master) => _master = master;

    /// <summary>Makes a terminal this process's standard input and throws away what is written to it.</summary>
    public static PseudoTerminal ReplaceStandardInput()
    {
        var master = Native.OpenTerminal(Native.ReadWrite | Native.NoControllingTerminal);
        if (master < 0 || Native.GrantTerminal(master) != 0 || Native.UnlockTerminal(master) != 0)
        {
            throw new EngineStartException("The system has no free pseudo-terminal for the engine. Raise kernel.pty.max or close terminals.");
        }

        Span<byte> name = stackalloc byte[128];
        fixed (byte* pointer = name)
        {
            if (Native.TerminalName(master, pointer, (nuint)name.Length) != 0)
            {
                throw new EngineStartException("The engine's pseudo-terminal has no name; /dev/pts may not be mounted.");
            }
        }

        var slave = Native.Open(Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]), Native.ReadWrite | Native.NoControllingTerminal);
        if (slave < 0 || Native.Dup2(slave, 0) != 0)
        {
            throw new EngineStartException("The engine's pseudo-terminal cannot be opened; /dev/pts may not be mounted.");
        }

        var terminal = new PseudoTerminal(master);
        new Thread(terminal.Drain) { IsBackground = true }.Start();
        return terminal;
    }

    /// <summary>Types a line.</summary>
    public void Write(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* pointer = bytes)
        {
            // A full terminal means that nobody reads it any more, which is what is wanted.
            _ = Native.Write(_master, pointer, (nuint)bytes.Length);
        }
    }

    private void Drain()
    {
        Span<byte> buffer = stackalloc byte[4096];
        fixed (byte* pointer = buffer)
        {
            while (Native.Read(_master, pointer, (nuint)buffer.Length) > 0)
            {
            }
        }
    }
}

/// <summary>The few calls of libc that are needed.</summary>
internal static unsafe partial class Native
{
    public const int ReadWrite = 2;
    public const int NoControllingTerminal = 0x100;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    [LibraryImport("libc", EntryPoint = "posix_openpt")]
    public static partial int OpenTerminal(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt")]
    public static partial int GrantTerminal(int master);

    [LibraryImport("libc", EntryPoint = "unlockpt")]
    public static partial int UnlockTerminal(int master);

    [LibraryImport("libc", EntryPoint = "ptsname_r")]
    public static partial int TerminalName(int master, byte* name, nuint length);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dup")]
    public static partial int Dup(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    public static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "read")]
    public static partial nint Read(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    public static partial nint Write(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void Exit(int code);
}
