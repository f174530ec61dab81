using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Engine;

/// <summary>
/// A terminal nobody looks at, on the standard input of this process: without one ClickHouse takes itself for a batch job,
/// and a batch job ends at the first request that it cannot read.
/// </summary>
internal sealed class PseudoTerminal : IDisposable
{
    private readonly FileStream _master;

    private PseudoTerminal(int master)
        => _master = new FileStream(new SafeFileHandle(master, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);

    /// <summary>Opens one, makes it the standard input, and throws away what is shown on it.</summary>
    public static unsafe PseudoTerminal OnStandardInput()
    {
        var master = Libc.Checked(
            Libc.OpenPseudoTerminal(Libc.ReadWrite | Libc.NoControllingTerminal | Libc.CloseOnExec), "posix_openpt");
        Libc.Checked(Libc.GrantPseudoTerminal(master), "grantpt");
        Libc.Checked(Libc.UnlockPseudoTerminal(master), "unlockpt");
        var name = stackalloc byte[256];
        if (Libc.PseudoTerminalName(master, name, 256) != 0)
        {
            throw new IOException("ptsname_r failed");
        }

        var path = Marshal.PtrToStringUTF8((nint)name)!;
        var slave = Libc.Checked(Libc.Open(path, Libc.ReadWrite | Libc.NoControllingTerminal | Libc.CloseOnExec), path);
        Libc.Checked(Libc.Dup2(slave, 0), "dup2");
        var nowhere = Libc.Checked(Libc.Open("/dev/null", Libc.ReadWrite | Libc.CloseOnExec), "/dev/null");
        Libc.Checked(Libc.Dup2(nowhere, 1), "dup2");

        var terminal = new PseudoTerminal(master);
        new Thread(terminal.Drain) { IsBackground = true, Name = "terminal" }.Start();
        return terminal;
    }

    /// <summary>Types a line, as a person would.</summary>
    public void Type(string line) => _master.Write(Encoding.UTF8.GetBytes(line + "\n"));

    public void Dispose() => _master.Dispose();

    private void Drain()
    {
        var buffer = new byte[4096];
        try
        {
            while (_master.Read(buffer) > 0)
            {
            }
        }
        catch (IOException)
        {
            // The other side is closed: ClickHouse is ending.
        }
    }
}
